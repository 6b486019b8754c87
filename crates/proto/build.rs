//! Compiles every `.proto` once, without `protoc`.

use std::path::{Path, PathBuf};

use prost::Message;
use prost_types::FileDescriptorSet;
use prost_types::method_options::IdempotencyLevel;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(root, &mut files)?;
    files.sort();
    let descriptors = protox::compile(&files, [root])?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    std::fs::write(out.join("without_effect.rs"), format!("&{:?}", without_effect(&descriptors)))?;
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().include_file("packages.rs").compile_fds(descriptors)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|kind| kind == "proto") {
            files.push(path);
        }
    }
    Ok(())
}

/// The methods, as `package.Service/Method`, whose `idempotency_level` is `NO_SIDE_EFFECTS`.
fn without_effect(descriptors: &FileDescriptorSet) -> Vec<String> {
    let mut methods = Vec::new();
    for file in &descriptors.file {
        for service in &file.service {
            let safe = service.method.iter().filter(|method| {
                method.options.as_ref().is_some_and(|o| o.idempotency_level() == IdempotencyLevel::NoSideEffects)
            });
            methods.extend(safe.map(|method| format!("{}.{}/{}", file.package(), service.name(), method.name())));
        }
    }
    methods.sort();
    methods
}
