//! The screens are built by npm; a checkout without them still compiles.
fn main() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../frontend/dist");
    if let Err(error) = std::fs::create_dir_all(&folder) {
        println!("cargo::warning=cannot create {}: {error}", folder.display());
    }
    println!("cargo::rerun-if-changed=../../frontend/dist");
}
