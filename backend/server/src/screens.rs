//! The staff's screens, carried inside the program.

use actix_web::HttpResponse;
use actix_web::http::header;
use rust_embed::RustEmbed;

/// Everything comes from here: no script, font or picture from elsewhere, no inline script.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

#[derive(RustEmbed)]
#[folder = "../../frontend/dist"]
struct Screens;

/// A file of the screens; any other address is one of the screens' own, answered with their entry page.
pub fn serve(path: &str) -> HttpResponse {
    let name = path.trim_start_matches('/');
    let (file, name) = match Screens::get(name) {
        Some(file) => (Some(file), name),
        None => (Screens::get("index.html"), "index.html"),
    };
    match file {
        // Names of assets carry a hash of their content.
        Some(file) => HttpResponse::Ok()
            .insert_header((
                header::CACHE_CONTROL,
                if name.starts_with("assets/") {
                    "public, max-age=31536000, immutable"
                } else {
                    "no-cache"
                },
            ))
            .content_type(file.metadata.mimetype())
            .body(file.data.into_owned()),
        None => HttpResponse::NotFound()
            .content_type("text/plain; charset=utf-8")
            .body("The screens are not built: npm run build in frontend.\n"),
    }
}
