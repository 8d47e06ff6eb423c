//! What can be imported, and the workbook to fill in.

use axum::{extract::State, response::Response};
use serde::Serialize;
use tenon_sdk::{
    Error, Kernel, Result,
    http::{ErrorBody, Json, Path, Permit},
    imports::{Field, FieldKind, SheetSpec},
    module::Routes,
};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{XLSX, download};
use crate::{permissions::RunsRead, workbook_out::template_workbook};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_templates))
        .routes(routes!(template_file))
}

/// Something that can be imported.
#[derive(Debug, Serialize, ToSchema)]
struct Template {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    sheets: Vec<TemplateSheet>,
}

#[derive(Debug, Serialize, ToSchema)]
struct TemplateSheet {
    key: &'static str,
    title: &'static str,
    /// Keys of the fields a row cannot do without.
    required_fields: Vec<&'static str>,
    fields: Vec<TemplateField>,
}

#[derive(Debug, Serialize, ToSchema)]
struct TemplateField {
    key: &'static str,
    label: &'static str,
    /// `text`, `decimal`, `date`, `currency` or `choice`.
    kind: &'static str,
    required: bool,
    help: &'static str,
    example: &'static str,
    /// The words of a choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<Vec<&'static str>>,
}

impl From<&Field> for TemplateField {
    fn from(field: &Field) -> Self {
        let kind = match field.kind {
            FieldKind::Text { .. } => "text",
            FieldKind::Decimal { .. } => "decimal",
            FieldKind::Date => "date",
            FieldKind::Currency => "currency",
            FieldKind::Choice(_) => "choice",
        };
        let choices = match field.kind {
            FieldKind::Choice(choices) => Some(choices.iter().map(|(word, _)| *word).collect()),
            _ => None,
        };
        Self {
            key: field.key,
            label: field.label,
            kind,
            required: field.required,
            help: field.help,
            example: field.example,
            choices,
        }
    }
}

impl From<&SheetSpec> for TemplateSheet {
    fn from(sheet: &SheetSpec) -> Self {
        Self {
            key: sheet.key,
            title: sheet.title,
            required_fields: sheet
                .fields
                .iter()
                .filter(|field| field.required)
                .map(|field| field.key)
                .collect(),
            fields: sheet.fields.iter().map(TemplateField::from).collect(),
        }
    }
}

/// What can be imported by the caller.
#[utoipa::path(get, path = "/api/v1/imports/templates", tag = "imports",
    responses((status = 200, body = Vec<Template>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn list_templates(permit: Permit<RunsRead>, State(kernel): State<Kernel>) -> Json<Vec<Template>> {
    let may = |permission: &str| permit.ctx().require(permission).is_ok();
    let templates = kernel
        .templates()
        .map(|template| template.spec())
        .filter(|spec| may(spec.permission));
    Json(
        templates
            .map(|spec| Template {
                name: spec.name,
                title: spec.title,
                description: spec.description,
                sheets: spec.sheets.iter().map(TemplateSheet::from).collect(),
            })
            .collect(),
    )
}

/// The workbook to fill in.
#[utoipa::path(get, path = "/api/v1/imports/templates/{name}/workbook", tag = "imports",
    params(("name" = String, Path)),
    responses((status = 200, content_type = XLSX, body = Vec<u8>), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
async fn template_file(
    permit: Permit<RunsRead>,
    State(kernel): State<Kernel>,
    Path(name): Path<String>,
) -> Result<Response> {
    let template = kernel.template(&name).ok_or_else(|| {
        Error::not_found("imports.template_unknown", "There is no such template.").details(name.clone())
    })?;
    permit.ctx().require(template.spec().permission)?;
    Ok(download(
        &format!("{}.xlsx", template.spec().title),
        template_workbook(template.spec())?,
    ))
}
