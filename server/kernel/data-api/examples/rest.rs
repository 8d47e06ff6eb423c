//! The data API alone, in front of any PostgreSQL database: `cargo run -p tenon-data-api --example rest`, configured
//! by `PGRST_*` variables or a file given as argument.

use tenon_data_api::standalone;
use tenon_sdk::env::Env;

#[tokio::main]
async fn main() -> Result<(), standalone::StartError> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let file = std::env::args_os().nth(1).map(Into::into);
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    standalone::serve(Env::real(), file, stop).await
}
