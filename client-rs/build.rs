//! Compiles what the client needs of `proto/`, in pure Rust (no `protoc`), and keeps secrets out of `Debug`.

#[cfg(feature = "client")]
#[path = "../proto/redaction.rs"]
mod redaction;

#[cfg(feature = "client")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    const PROTO: &str = "../proto";
    const FILES: [&str; 4] = [
        "countersign/v1/account_service.proto",
        "countersign/v1/auth_service.proto",
        "countersign/v1/error_reason.proto",
        "countersign/v1/token_service.proto",
    ];

    println!("cargo::rerun-if-changed={PROTO}");
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    let mut compiler = protox::Compiler::new([PROTO])?;
    compiler.include_imports(true).include_source_info(true).open_files(FILES)?;
    let secret: Vec<_> = compiler.descriptor_pool().all_messages().filter(redaction::has_secret).collect();
    std::fs::write(out.join("redacted.rs"), redaction::redacted_debug(&secret)?)?;
    tonic_prost_build::configure()
        .build_server(false)
        .skip_debug(secret.iter().map(|message| message.full_name().to_owned()))
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

#[cfg(not(feature = "client"))]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
