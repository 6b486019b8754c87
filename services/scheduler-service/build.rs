//! Embedded migrations are read by a macro that does not notice a new file by itself.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations/scheduler-service");
}
