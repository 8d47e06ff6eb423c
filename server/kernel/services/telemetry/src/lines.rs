//! Lines of the log: as `tracing-subscriber` writes them, and at their end whose work they are about.

use std::fmt;

use tenon_sdk::telemetry::scope::{self, What};
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Full, Json, Writer},
    },
    registry::LookupSpan,
};

/// A form of lines, with the scope at the end.
pub(crate) struct Scoped<F>(F);

impl<F> Scoped<F> {
    pub(crate) const fn new(inner: F) -> Self {
        Self(inner)
    }
}

/// How a scope is added to a line of one form.
pub(crate) trait Ends {
    /// What the line ends with, before which the scope goes.
    const END: &'static str;

    /// Adds a field. What is added needs no quoting.
    fn add(out: &mut Writer<'_>, name: &str, value: &dyn fmt::Display) -> fmt::Result;
}

impl<T> Ends for Format<Full, T> {
    const END: &'static str = "\n";

    fn add(out: &mut Writer<'_>, name: &str, value: &dyn fmt::Display) -> fmt::Result {
        write!(out, " {name}={value}")
    }
}

impl<T> Ends for Format<Json, T> {
    const END: &'static str = "}\n";

    fn add(out: &mut Writer<'_>, name: &str, value: &dyn fmt::Display) -> fmt::Result {
        write!(out, r#","{name}":"{value}""#)
    }
}

impl<S, N, F> FormatEvent<S, N> for Scoped<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N> + Ends,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let told = scope::current(|scope| {
            let name = match scope.what() {
                What::Request(_) => "request_id",
                What::Job(_) => "job_id",
            };
            (name, scope.what().to_string(), scope.org(), scope.user())
        });
        let Some((name, id, org, user)) = told else {
            return self.0.format_event(context, out, event);
        };
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        let end = line.strip_suffix(F::END);
        out.write_str(end.unwrap_or(&line))?;
        if end.is_none() {
            return Ok(());
        }
        F::add(&mut out, name, &id)?;
        if let Some(org) = org {
            F::add(&mut out, "organization", &org)?;
        }
        if let Some(user) = user {
            F::add(&mut out, "person", &user)?;
        }
        out.write_str(F::END)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tenon_sdk::{OrgId, UserId, telemetry::Scope};
    use tracing_subscriber::{Layer, fmt::format, layer::SubscriberExt};
    use uuid::Uuid;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    async fn lines(json: bool) -> String {
        let written = Written::default();
        let to = written.clone();
        let layer = tracing_subscriber::fmt::layer().with_writer(move || to.clone());
        let layer = if json {
            let layer = layer.fmt_fields(format::JsonFields::new());
            layer.event_format(Scoped::new(format::format().json())).boxed()
        } else {
            layer
                .event_format(Scoped::new(format::format().with_ansi(false)))
                .boxed()
        };
        let _log = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        tracing::info!("before");
        let (id, org) = (Uuid::from_u128(1), OrgId(Uuid::from_u128(2)));
        let scope = Scope::job(id, org, Some(UserId(Uuid::from_u128(3))));
        scope
            .around(async { tracing::warn!(code = "a\"b", "within") })
            .await;
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[tokio::test]
    async fn a_line_for_people_ends_with_its_scope() {
        let told = lines(false).await;
        let told: Vec<_> = told.lines().collect();
        assert!(told[0].ends_with("before"), "{told:?}");
        let end = "within code=\"a\\\"b\" job_id=00000000-0000-0000-0000-000000000001 \
                   organization=00000000-0000-0000-0000-000000000002 person=00000000-0000-0000-0000-000000000003";
        assert!(told[1].ends_with(end), "{told:?}");
    }

    #[tokio::test]
    async fn a_line_for_programs_is_one_object() {
        let told = lines(true).await;
        let told: Vec<serde_json::Value> = told
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(told[0]["fields"]["message"], "before");
        assert_eq!(told[1]["fields"]["code"], "a\"b");
        assert_eq!(told[1]["organization"], "00000000-0000-0000-0000-000000000002");
        assert_eq!(told[1]["job_id"], "00000000-0000-0000-0000-000000000001");
    }
}
