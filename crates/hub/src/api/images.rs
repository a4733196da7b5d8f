//! `/images`: images by name and digest, their packages and findings.
use super::list::{ListQuery, Listing, Lookup, quoted};
use super::problem::Refusal;
use axum::response::Response;
use seawall_model::finding::Finding;
use seawall_store::{IMAGE_PACKAGES, Image, ImagePackage, Images, Page};

/// Images the caller may see.
#[utoipa::path(get, path = "/api/v1/images", tag = "images", params(ListQuery),
    responses((status = 200, body = Page<Image>)))]
pub(crate) async fn list(listing: Listing) -> Result<Response, Refusal> {
    listing.of::<Image>().await
}

/// One image.
#[utoipa::path(get, path = "/api/v1/images/{id}", tag = "images",
    responses((status = 200, body = Image)))]
pub(crate) async fn get(lookup: Lookup) -> Result<Response, Refusal> {
    lookup.of::<Image>().await
}

/// Packages of an image, each with its findings counted.
#[utoipa::path(get, path = "/api/v1/images/{id}/packages", tag = "images", params(ListQuery),
    responses((status = 200, body = Page<ImagePackage>)))]
pub(crate) async fn packages(lookup: Lookup, listing: Listing) -> Result<Response, Refusal> {
    let Lookup { app, caller, id } = &lookup;
    match app.store.image_packages(&caller.visible_here(), *id).await? {
        Some(packages) => listing.held(&IMAGE_PACKAGES, &packages).await,
        None => Err(lookup.absent::<Image>().await?),
    }
}

/// The vulnerability findings of an image.
#[utoipa::path(get, path = "/api/v1/images/{id}/findings", tag = "images", params(ListQuery),
    responses((status = 200, body = Page<Finding>)))]
pub(crate) async fn findings(lookup: Lookup, listing: Listing) -> Result<Response, Refusal> {
    let image = lookup.object::<Image>().await?;
    let digest = image.digest.or(image.config_digest).or(image.index_digest);
    let key = digest.unwrap_or_else(|| image.name.clone());
    // One digest may lie under several names and in several scopes: each has findings of its own.
    let narrowed = format!(
        "kind:vulnerability scope:{} resource:{} resource_key:{}",
        quoted(image.scope.as_str()),
        quoted(&image.name),
        quoted(&key)
    );
    listing.within::<Finding>(Some(&narrowed)).await
}
