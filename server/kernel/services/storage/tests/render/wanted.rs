use proptest::prelude::*;
use tenon_storage::render::{Format, Wanted};

fn of(query: &str) -> Option<Wanted> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    Wanted::of_query(pairs).ok()
}

#[test]
fn what_a_signed_address_grants_is_what_was_asked_for() {
    for query in [
        "",
        "width=100",
        "height=7&quality=20",
        "width=100&height=80&resize=contain&quality=100&format=avif",
        "format=origin",
        "format=webp&width=2500",
    ] {
        let asked = of(query).unwrap();
        assert_eq!(Wanted::of_token(&asked.to_token()).unwrap(), asked, "{query}");
    }
    let usual = of("width=100&height=80&resize=fill&quality=60").unwrap();
    assert_eq!(usual.to_token(), "height:80,width:100,resize:fill,quality:60");
}

#[test]
fn sides_are_held_to_the_longest_and_none_is_no_side() {
    let asked = of("width=0&height=100000000000").unwrap();
    assert_eq!((asked.width, asked.height), (None, Some(2500)));
    assert_eq!(of("width=100&unknown=1&token=x").unwrap().width, Some(100));
}

#[test]
fn what_cannot_be_had_is_refused() {
    for query in [
        "width=-1",
        "width=",
        "width=1.5",
        "width=a",
        "height=99999999999999999999999",
        "resize=",
        "resize=COVER",
        "quality=19",
        "quality=101",
        "quality=x",
        "format=png",
        "format=",
        "width=١٠",
    ] {
        assert_eq!(of(query), None, "{query}");
    }
}

#[test]
fn who_takes_webp_gets_it_unless_another_format_is_asked_for() {
    let webp = |query: &str, accept: &str| {
        of(query).unwrap().accepting(accept).format == Format::Best { webp: true }
    };
    assert!(webp("", "image/avif,image/webp,image/apng,*/*;q=0.8"));
    assert!(webp("width=1", "text/html, Image/WebP;q=0.9"));
    assert!(!webp("", "*/*"));
    assert!(!webp("", ""));
    assert!(!webp("format=origin", "image/webp"));
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in ".{0,200}") {
        let _ = Wanted::of_token(&text);
        let _ = Wanted::default().accepting(&text);
    }
}
