//! An admin changes what an organisation is called, how it looks, and where and when it works.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use tenon_sdk::{Ctx, Error, Result, events::Event};
use utoipa::ToSchema;

use super::{
    super::{Acting, colour::Colour, mails::LANGUAGES, permissions::OrganizationUpdate, plans::Feature},
    limits, names,
};

/// How many names that it gave up an organisation keeps; older ones are free for others.
const FORMER_SLUGS: i64 = 10;

/// What changes; what is absent stays, and null takes away what an organisation can do without.
#[allow(clippy::option_option, reason = "absent, null and a value are three wishes")]
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationChanges {
    /// Its name.
    #[schema(example = "Harbour Works", min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Its name in addresses. Links with the old one go on leading here.
    #[schema(example = "harbour-works", min_length = 2, max_length = 63)]
    pub slug: Option<String>,
    /// Its colour, on which words must be readable; null: Tenon's own.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "#2f4f9e")]
    pub theme_color: Option<Option<String>>,
    /// Its time zone, a name of the IANA database.
    #[schema(example = "Europe/Vienna")]
    pub time_zone: Option<String>,
    /// The language it is written to in: `en` or `de`.
    #[schema(example = "en")]
    pub language: Option<String>,
    /// The page that members see first, below the organisation's address; null: the first they may see.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "/purchasing/orders")]
    pub home: Option<Option<String>>,
}

/// Tells what is null from what is absent.
#[allow(clippy::option_option, reason = "absent, null and a value are three wishes")]
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

fn colour(text: &str) -> Result<String> {
    let colour = Colour::parse(text).ok_or_else(|| {
        Error::unprocessable("tenancy.color_invalid", "This is no colour.").hint("It looks like #2f4f9e.")
    })?;
    if !colour.is_good() {
        return Err(Error::unprocessable(
            "tenancy.color_contrast",
            "Words would be hard to read on this colour.",
        )
        .hint(format!("{} is near it and readable.", colour.nearest_good())));
    }
    Ok(colour.to_string())
}

fn time_zone(name: &str) -> Result<&str> {
    // The database of time zones finds names in any case; only the right one is stored.
    match jiff::tz::TimeZone::get(name) {
        Ok(zone) if zone.iana_name() == Some(name) => Ok(name),
        _ => Err(
            Error::unprocessable("tenancy.time_zone_unknown", "There is no such time zone.")
                .hint("It looks like Europe/Vienna."),
        ),
    }
}

fn language(word: &str) -> Result<&str> {
    LANGUAGES.into_iter().find(|known| *known == word).ok_or_else(|| {
        Error::unprocessable("tenancy.language_unknown", "There are no texts in this language.")
            .details(format!("There are texts in: {}.", LANGUAGES.join(", ")))
    })
}

fn home<'a>(ctx: &Ctx, path: &'a str) -> Result<&'a str> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '/';
    let module = path.strip_prefix('/').and_then(|rest| rest.split('/').next());
    let known = module.is_some_and(|name| ctx.kernel().modules().iter().any(|module| module.name == name));
    if known && path.len() <= 200 && path.chars().all(good) && !path.contains("//") {
        return Ok(path);
    }
    Err(Error::unprocessable(
        "tenancy.home_invalid",
        "This is no page that members could see first.",
    )
    .hint("It looks like /purchasing/orders."))
}

/// Changes the organisation.
pub(in super::super) async fn change_organization(ctx: &Ctx, changes: &OrganizationChanges) -> Result<()> {
    let name = changes.name.as_deref().map(names::organization).transpose()?;
    let slug = changes.slug.as_deref().map(names::slug).transpose()?;
    let theme = changes
        .theme_color
        .as_ref()
        .map(|text| text.as_deref().map(colour).transpose())
        .transpose()?;
    let zone = changes.time_zone.as_deref().map(time_zone).transpose()?;
    let language = changes.language.as_deref().map(language).transpose()?;
    let home = changes
        .home
        .as_ref()
        .map(|path| path.as_deref().map(|path| home(ctx, path)).transpose())
        .transpose()?;

    let acting = Acting::begin::<OrganizationUpdate>(ctx, "change of organisation").await?;
    let org = acting.org();
    if theme.as_ref().is_some_and(Option::is_some) {
        limits::included(&acting.locked, Feature::Branding)?;
    }
    if let Some(slug) = slug {
        move_to(&acting, slug).await?;
    }
    acting
        .tx()
        .execute(
        "update tenancy.organizations set name = coalesce($2, name), time_zone = coalesce($3, time_zone), \
         language = coalesce($4, language), \
         theme_color = case when $5 then $6 else theme_color end, home = case when $7 then $8 else home end \
         where id = $1",
        &[
            &org,
            &name,
            &zone,
            &language,
            &theme.is_some(),
            &theme.clone().flatten(),
            &home.is_some(),
            &home.flatten(),
        ],
    )
    .await?;
    let mut told = Map::new();
    let mut tell =
        |field: &str, value: Option<Value>| value.map(|value| told.insert(field.to_owned(), value));
    tell("name", name.map(|name| json!(name)));
    tell("slug", slug.map(|slug| json!(slug)));
    tell("theme_color", theme.map(|colour| json!(colour)));
    tell("time_zone", zone.map(|zone| json!(zone)));
    tell("language", language.map(|language| json!(language)));
    tell("home", home.map(|path| json!(path)));
    if !told.is_empty() {
        let updated = Event::new("tenancy.organization_updated", org.0, Value::Object(told));
        acting.emit(&updated).await?;
    }
    acting.commit().await
}

/// Gives the organisation another name in addresses. The old one stays its own: nobody else can stand where its links lead.
async fn move_to(acting: &Acting, slug: &str) -> Result<()> {
    let (tx, org) = (acting.tx(), acting.org());
    let taken = || {
        Error::conflict("tenancy.slug_taken", "This name in addresses is taken.").hint("Choose another name.")
    };
    let foreign = tx
        .query_opt(
            "select from tenancy.former_slugs where slug = $1 and org_id <> $2",
            &[&slug, &org],
        )
        .await?;
    if foreign.is_some() {
        return Err(taken());
    }
    tx.execute(
        "insert into tenancy.former_slugs (slug, org_id, given_up_at) \
         select slug, id, $3 from tenancy.organizations where id = $1 and slug <> $2 \
         on conflict (slug) do update set given_up_at = excluded.given_up_at",
        &[&org, &slug, &acting.env().now()],
    )
    .await?;
    tx.execute(
        "delete from tenancy.former_slugs where slug = $1 and org_id = $2",
        &[&slug, &org],
    )
    .await?;
    tx.execute(
        "update tenancy.organizations set slug = $2 where id = $1",
        &[&org, &slug],
    )
    .await
    .map_err(|error| error.if_taken(taken))?;
    tx.execute(
        "delete from tenancy.former_slugs where org_id = $1 and slug not in ( \
         select slug from tenancy.former_slugs where org_id = $1 order by given_up_at desc, slug limit $2)",
        &[&org, &FORMER_SLUGS],
    )
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::{colour, language, time_zone};

    #[test]
    fn colours_are_kept_in_small_letters_and_unreadable_ones_refused_with_a_better_one() {
        assert_eq!(colour("#2F4F9E").unwrap(), "#2f4f9e");
        assert_eq!(colour("blue").unwrap_err().code, "tenancy.color_invalid");
        let refused = colour("#ffe94d").unwrap_err();
        assert_eq!(refused.code, "tenancy.color_contrast");
        let hint = refused.hint.unwrap();
        assert!(colour(&hint[..7]).is_ok(), "{hint}");
    }

    #[test]
    fn time_zones_are_those_of_the_iana_database() {
        for good in [
            "UTC",
            "Europe/Vienna",
            "America/Argentina/Buenos_Aires",
            "Asia/Kolkata",
        ] {
            assert_eq!(time_zone(good).unwrap(), good);
        }
        for bad in [
            "",
            "europe/vienna",
            "CEST",
            "UTC+1",
            "../etc/passwd",
            "/etc/localtime",
            "Mars/Base",
        ] {
            assert!(time_zone(bad).is_err(), "{bad}");
        }
        assert!(language("en").is_ok() && language("EN").is_err() && language("").is_err());
    }
}
