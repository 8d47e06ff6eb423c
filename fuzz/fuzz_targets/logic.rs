#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tenon_data_api::api_request::fuzz::logic(data));
