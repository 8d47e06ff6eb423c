//! Pictures as they are wanted, for whoever may see them.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use reqwest::{Method, Response};
use serde_json::json;
use tenon_testkit::{TestServer, TestServerOptions, answer};

use crate::support::{bucket, by, path, put, refusal, server, server_with, service, sql};

async fn put_picture(server: &TestServer, place: &str, colour: [u8; 3]) {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = DynamicImage::from(RgbImage::from_pixel(400, 200, Rgb(colour)));
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    let request = service(server, Method::POST, &format!("/object/{place}"))
        .header("content-type", "image/png")
        .header("x-upsert", "true")
        .body(bytes.into_inner());
    assert_eq!(answer(request).await.0, 200);
}

async fn picture(response: Response) -> (String, u32, u32) {
    assert_eq!(response.status().as_u16(), 200);
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    let image = image::load_from_memory(&response.bytes().await.unwrap()).unwrap();
    (kind, image.width(), image.height())
}

#[tokio::test]
async fn a_picture_comes_in_the_size_and_format_that_is_asked_for() {
    let server = server().await;
    bucket(&server, "b", json!({ "public": true })).await;
    put_picture(&server, "b/a.png", [200, 0, 0]).await;
    let get = |query: &str| {
        server.anonymous(
            Method::GET,
            &path(&format!("/render/image/public/b/a.png{query}")),
        )
    };
    let png = |width, height| ("image/png".to_owned(), width, height);
    assert_eq!(
        picture(get("?width=100").send().await.unwrap()).await,
        png(100, 50)
    );
    assert_eq!(
        picture(get("?width=100&height=100").send().await.unwrap()).await,
        png(100, 100)
    );
    assert_eq!(
        picture(get("?width=100&height=100&resize=contain").send().await.unwrap()).await,
        png(100, 50)
    );
    let webp = get("?width=100")
        .header("accept", "image/webp,*/*")
        .send()
        .await
        .unwrap();
    assert_eq!(webp.headers()["vary"], "accept");
    assert_eq!(picture(webp).await, ("image/webp".to_owned(), 100, 50));
    let origin = get("?format=origin&width=50")
        .header("accept", "image/webp")
        .send()
        .await
        .unwrap();
    assert_eq!(picture(origin).await, png(50, 25));
    let head = server
        .anonymous(Method::HEAD, &path("/render/image/public/b/a.png?width=100"))
        .send()
        .await
        .unwrap();
    assert_ne!(head.headers()["content-length"], "0");
    let etag = head.headers()["etag"].clone();
    let again = get("?width=100")
        .header("if-none-match", etag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status().as_u16(), 304);
    // Another version is another picture.
    put_picture(&server, "b/a.png", [0, 0, 200]).await;
    let bytes = get("?width=100").send().await.unwrap().bytes().await.unwrap();
    assert_eq!(
        image::load_from_memory(&bytes).unwrap().to_rgb8().get_pixel(5, 5),
        &Rgb([0, 0, 200])
    );
    for (query, name) in [
        ("?width=x", "width"),
        ("?width=-1", "width"),
        ("?resize=huge", "resize"),
        ("?gravity=up", "gravity"),
    ] {
        let (status, told) = answer(get(query)).await;
        assert_eq!((status, refusal(&told).1), (400, "storage.transform_invalid"));
        assert!(refusal(&told).2.contains(name), "{told}");
    }
}

#[tokio::test]
async fn a_signed_address_keeps_what_is_wanted_and_says_what_was_done() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put_picture(&server, "b/a.png", [200, 0, 0]).await;
    let transform = json!({ "width": 10, "height": 10, "resize": "cover", "gravity": "fp", "x_offset": 0, "y_offset": 1 });
    let asked = service(&server, Method::POST, "/object/sign/b/a.png")
        .json(&json!({ "expiresIn": 60, "transform": transform }));
    let (_, signed) = answer(asked).await;
    let at = path(signed["signedURL"].as_str().unwrap());
    let made = server.anonymous(Method::GET, &at).send().await.unwrap();
    assert_eq!(
        made.headers()["x-transformations"],
        "height:10,width:10,resizing_type:fill,gravity:fp:0:1"
    );
    assert_eq!(picture(made).await, ("image/png".to_owned(), 10, 10));
}

#[tokio::test]
async fn policies_say_who_sees_a_picture() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put_picture(&server, "b/a.png", [200, 0, 0]).await;
    let at = "/render/image/authenticated/b/a.png?width=10";
    let (ana, ben) = (server.user("ana").await, server.user("ben").await);
    let policy = format!(
        "create policy ana on storage.objects for select to authenticated using (auth.uid() = '{}')",
        ana.id.0
    );
    sql(&server, &policy).await;
    assert_eq!(
        picture(by(&ana, Method::GET, at).send().await.unwrap()).await.1,
        10
    );
    for refused in [
        by(&ben, Method::GET, at),
        server.anonymous(Method::GET, &path(at)),
    ] {
        let (status, told) = answer(refused).await;
        assert_eq!((status, refusal(&told).0), (400, "404"), "{told}");
    }
    let public = server.anonymous(Method::GET, &path("/render/image/public/b/a.png?width=10"));
    assert_eq!(answer(public).await.0, 400);
}

#[tokio::test]
async fn a_signed_address_grants_one_form_of_a_picture() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put_picture(&server, "b/a.png", [200, 0, 0]).await;
    let body = json!({ "expiresIn": 60, "transform": { "width": 40, "height": 40, "resize": "contain" } });
    let (_, signed) = answer(service(&server, Method::POST, "/object/sign/b/a.png").json(&body)).await;
    let url = signed["signedURL"].as_str().unwrap();
    assert!(url.starts_with("/render/image/sign/b/a.png?token="), "{url}");
    let shown = server
        .anonymous(Method::GET, &path(&format!("{url}&width=400")))
        .send()
        .await
        .unwrap();
    assert_eq!(picture(shown).await, ("image/png".to_owned(), 40, 20));
    for bad in [
        "/render/image/sign/b/a.png",
        "/render/image/sign/b/a.png?token=x",
        &url.replace("a.png", "b.png"),
    ] {
        assert_eq!(
            answer(server.anonymous(Method::GET, &path(bad))).await.0,
            400,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn what_is_no_picture_or_too_large_is_refused_and_a_drawing_is_boxed() {
    let server = server_with(TestServerOptions {
        config: Some(|config| config.storage.render.max_source_pixels = 10_000),
        ..TestServerOptions::default()
    })
    .await;
    bucket(&server, "b", json!({ "public": true })).await;
    put(&server, "b/a.txt", "hello").await;
    put_picture(&server, "b/a.png", [200, 0, 0]).await;
    put(
        &server,
        "b/a.svg",
        "<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
    )
    .await;
    for (name, code) in [
        ("a.txt", "storage.image_unsupported"),
        ("a.png", "storage.image_too_large"),
    ] {
        let (status, told) =
            answer(server.anonymous(Method::GET, &path(&format!("/render/image/public/b/{name}")))).await;
        assert_eq!((status, refusal(&told).1), (400, code), "{told}");
        assert_eq!(told["error"], "InvalidRequest");
    }
    let drawn = server
        .anonymous(Method::GET, &path("/render/image/public/b/a.svg?width=10"))
        .send()
        .await
        .unwrap();
    assert_eq!(drawn.headers()["content-type"], "image/svg+xml");
    assert!(
        drawn.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("sandbox")
    );
}
