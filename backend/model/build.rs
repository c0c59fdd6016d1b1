//! The migrations are carried inside the program; the compiler does not see that it reads them.
fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
