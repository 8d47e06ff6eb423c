//! Uploads by a form (`POST` with `multipart/form-data`). `s3s` checks signature and policy, but holds the file in memory before it does.
//! So it sees the form with a stand-in for the file, and the file itself goes by it, as it comes, once the form is found good.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use multer::{Constraints, Field, Multipart, SizeLimit};
use s3s::{S3Error, S3Result, StdError, post_policy::PostPolicy, s3_error};

/// All fields before the file together, in bytes.
const LONGEST: u64 = 1024 * 1024;
/// How much of a form is read that is refused, in bytes.
const READ_ON: usize = 1024 * 1024;
/// Most fields.
const MOST: usize = 200;
/// The largest stand-in, for a policy that asks for at least so many bytes.
const LARGEST_STAND_IN: u64 = 5 * 1024 * 1024 * 1024;
static ZEROS: [u8; 1024 * 1024] = [0; 1024 * 1024];

/// What comes of the file.
type Coming = BoxStream<'static, Result<Bytes, StdError>>;

/// The file of a form, to be taken once.
#[derive(Clone)]
pub(super) struct File(Arc<Mutex<Option<Coming>>>);

/// A file that is not as long as the policy of its form says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Misfit {
    Large,
    Small,
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("not as long as the policy says")
    }
}

impl std::error::Error for Misfit {}

impl From<Misfit> for S3Error {
    fn from(misfit: Misfit) -> Self {
        match misfit {
            Misfit::Large => s3_error!(EntityTooLarge),
            Misfit::Small => s3_error!(EntityTooSmall),
        }
    }
}

impl File {
    pub(super) fn take(&self) -> Option<Coming> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A form as `s3s` shall see it, and its file.
pub(super) struct Form {
    pub(super) headers: HeaderMap,
    pub(super) body: s3s::Body,
    pub(super) file: File,
}

/// A boundary that no field contains, since fields end where the client's own began.
fn boundary(secret: &str) -> String {
    format!("tenon-{secret}")
}

fn malformed() -> S3Error {
    s3_error!(MalformedPOSTRequest)
}

/// Reads a form as far as its file. One that is refused is read on a little, so that a browser hears of it.
///
/// Errors: `MalformedPOSTRequest`, `AccessDenied` without a signature.
pub(super) async fn read(headers: &HeaderMap, body: Body, secret: &str) -> S3Result<Form> {
    let body = Arc::new(tokio::sync::Mutex::new(body.into_data_stream()));
    let pieces = stream::unfold(body.clone(), |body| async move {
        let piece = body.lock().await.next().await?;
        Some((piece, body))
    });
    match fields(headers, pieces, secret).await {
        Ok(form) => Ok(form),
        Err(error) => {
            read_on(&mut *body.lock().await).await;
            Err(error)
        }
    }
}

/// Reads what is left of something refused, if it is not much.
pub(super) async fn read_on<E>(rest: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin)) {
    let mut read = 0;
    while let Some(Ok(piece)) = rest.next().await {
        read += piece.len();
        if read > READ_ON {
            return;
        }
    }
}

async fn fields(
    headers: &HeaderMap,
    body: impl Stream<Item = Result<Bytes, axum::Error>> + Send + 'static,
    secret: &str,
) -> S3Result<Form> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let theirs = multer::parse_boundary(kind).map_err(|_| malformed())?;
    // The file has limits of its own, by what its policy and its bucket say.
    let limits = Constraints::new().size_limit(SizeLimit::new().per_field(u64::MAX));
    let mut form = Multipart::with_constraints(body, theirs, limits);
    let ours = boundary(secret);
    let mut text = BytesMut::new();
    let (mut policy, mut signed) = (None, false);
    let mut count = 0;
    let file = loop {
        let field = form.next_field().await.map_err(|_| malformed())?;
        let field = field.ok_or_else(|| s3_error!(InvalidArgument, "POST requires a file"))?;
        let name = field.name().unwrap_or_default().to_owned();
        if name.eq_ignore_ascii_case("file") {
            break field;
        }
        count += 1;
        let fits = count <= MOST && !name.is_empty() && name.bytes().all(is_plain);
        let value = short(field, LONGEST - (text.len() as u64).min(LONGEST)).await?;
        if !fits || value.contains(&0) || contains(&value, ours.as_bytes()) {
            return Err(malformed());
        }
        signed |= name.eq_ignore_ascii_case("x-amz-signature");
        if name.eq_ignore_ascii_case("policy") {
            policy = std::str::from_utf8(&value).ok().map(str::to_owned);
        }
        text.put_slice(
            format!("--{ours}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes(),
        );
        text.put_slice(&value);
        text.put_slice(b"\r\n");
    };
    // What is not signed, or in the old way, ends here, before any of the file is read.
    if !signed {
        return Err(s3_error!(AccessDenied, "Signature is required"));
    }
    let policy = policy
        .as_deref()
        .and_then(|policy| PostPolicy::from_base64(policy).ok());
    let policy = policy.ok_or_else(|| s3_error!(InvalidPolicyDocument))?;
    let (least, most) = policy.content_length_range().unwrap_or((0, u64::MAX));
    if least > most.min(LARGEST_STAND_IN) {
        return Err(s3_error!(EntityTooSmall));
    }
    text.put_slice(
        format!("--{ours}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"file\"\r\n\r\n")
            .as_bytes(),
    );
    let mut headers = headers.clone();
    headers.remove(header::CONTENT_LENGTH);
    let kind = HeaderValue::try_from(format!("multipart/form-data; boundary={ours}"));
    headers.insert(header::CONTENT_TYPE, kind.map_err(|_| malformed())?);
    let file = within(file, least, most);
    Ok(Form {
        headers,
        body: stand_in(text.freeze(), least, &ours),
        file: File(Arc::new(Mutex::new(Some(file)))),
    })
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

async fn short(mut field: Field<'_>, most: u64) -> S3Result<Bytes> {
    let mut text = BytesMut::new();
    while let Some(piece) = field.chunk().await.map_err(|_| malformed())? {
        if (text.len() + piece.len()) as u64 > most {
            return Err(s3_error!(MaxPostPreDataLengthExceededError));
        }
        text.extend_from_slice(&piece);
    }
    Ok(text.freeze())
}

/// The fields, and as many zeros as the policy asks for at least, all of them the same few in memory.
fn stand_in(fields: Bytes, least: u64, boundary: &str) -> s3s::Body {
    let piece = ZEROS.len() as u64;
    let zeros = (0..least.div_ceil(piece)).map(move |at| {
        let size = usize::try_from((least - at * piece).min(piece)).unwrap_or(0);
        Bytes::from_static(&ZEROS[..size])
    });
    let end = Bytes::from(format!("\r\n--{boundary}--\r\n"));
    let all = std::iter::once(fields).chain(zeros).chain([end]);
    let body = Body::from_stream(stream::iter(all.map(Ok::<_, io::Error>)));
    s3s::Body::http_body_unsync(body)
}

/// The file, which is an error if it is not as long as the policy says.
fn within(file: Field<'static>, least: u64, most: u64) -> Coming {
    stream::try_unfold((file, 0_u64), move |(mut file, size)| async move {
        let piece = file.chunk().await?;
        let size = size + piece.as_ref().map_or(0, |piece| piece.len() as u64);
        if size > most {
            return Err(Misfit::Large.into());
        }
        match piece {
            Some(piece) => Ok(Some((piece, (file, size)))),
            None if size < least => Err(Misfit::Small.into()),
            None => Ok(None),
        }
    })
    .boxed()
}
