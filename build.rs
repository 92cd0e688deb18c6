//! Compiles `proto/` in pure Rust (no `protoc`), keeps secrets out of `Debug`, and refuses an RPC that declares no policy.

use std::{env, error::Error, fs, path::PathBuf};

use protox::{
    Compiler,
    prost_reflect::{DescriptorPool, MethodDescriptor},
};

#[path = "proto/redaction.rs"]
mod redaction;

const FILES: [&str; 8] = [
    "countersign/v1/account_service.proto",
    "countersign/v1/auth_service.proto",
    "countersign/v1/error_reason.proto",
    "countersign/v1/policy.proto",
    "countersign/v1/session.proto",
    "countersign/v1/token_service.proto",
    "countersign/v1/user.proto",
    "google/rpc/error_details.proto",
];

/// Whose messages and client carry spans to a collector.
const OTLP: &str = "opentelemetry/proto/collector/trace/v1/trace_service.proto";

fn main() -> Result<(), Box<dyn Error>> {
    lay_out();
    println!("cargo::rerun-if-changed=proto");
    println!("cargo::rerun-if-changed=vendor");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let mut compiler = Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true).open_files(FILES)?;
    let pool = compiler.descriptor_pool();
    refuse_undeclared_policies(&pool)?;

    // For reflection and for the tests that walk it; as bytes, since a decoded set has lost our method option.
    fs::write(out.join("descriptor.bin"), compiler.encode_file_descriptor_set())?;

    let secret: Vec<_> = pool.all_messages().filter(redaction::has_secret).collect();
    fs::write(out.join("redacted.rs"), redaction::redacted_debug(&secret)?)?;
    tonic_prost_build::configure()
        .codec_path("crate::grpc::StrictCodec")
        .skip_debug(secret.iter().map(|message| message.full_name().to_owned()))
        .extern_path(".google.rpc", "::tonic_types::pb")
        .compile_fds(compiler.file_descriptor_set())?;

    fs::write(out.join("methods.rs"), methods(&pool))?;
    tonic_prost_build::configure().include_file("otlp.rs").compile_fds(protox::compile([OTLP], ["vendor"])?)?;
    Ok(())
}

/// Has the functions that run lie beside each other (docs/decisions/0020), where the linker knows how: LLD and GNU's do.
fn lay_out() {
    const LAYOUT: &str = "src/layout.ld";
    println!("cargo::rerun-if-changed={LAYOUT}");
    let of_target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    let is_known = of_target("OS") == "linux" && of_target("ENV") == "gnu";
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if is_known && is_release {
        let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{folder}/{LAYOUT}");
    }
}

/// The RPCs, so that what is counted by method has a known size; and those that change nothing, of which not every one is told.
fn methods(pool: &DescriptorPool) -> String {
    let ours = pool.services().filter(|service| service.package_name() == "countersign.v1");
    let mut methods: Vec<_> = ours.flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
    methods.sort_by_key(name);
    let names: Vec<_> = methods.iter().map(name).collect();
    let reads: Vec<_> = methods.iter().filter(|method| changes_nothing(method)).map(name).collect();
    format!(
        "/// Every RPC, as its path names it, in order.\npub const METHODS: &[&str] = &{names:?};\n\n\
         /// Those of them that change nothing, in order.\npub const READS: &[&str] = &{reads:?};\n"
    )
}

fn name(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().full_name(), method.name())
}

/// Whether a method has `option idempotency_level = NO_SIDE_EFFECTS`.
fn changes_nothing(method: &MethodDescriptor) -> bool {
    method.options().get_field_by_name("idempotency_level").and_then(|level| level.as_enum_number()) == Some(1)
}

/// A new RPC cannot be open, or closed, by oversight.
fn refuse_undeclared_policies(pool: &DescriptorPool) -> Result<(), String> {
    let policy = pool.get_extension_by_name("countersign.v1.policy").ok_or("countersign.v1.policy is not defined")?;
    let is_declared = |method: &MethodDescriptor| {
        let options = method.options();
        let declared = options.get_extension(&policy);
        let audience = declared.as_message().and_then(|policy| policy.get_field_by_name("audience")?.as_enum_number());
        audience.is_some_and(|number| number != 0)
    };
    let ours = pool.services().filter(|service| service.package_name() == "countersign.v1");
    let open: Vec<_> =
        ours.flat_map(|service| service.methods().collect::<Vec<_>>()).filter(|m| !is_declared(m)).collect();
    match open.first() {
        None => Ok(()),
        Some(method) => {
            Err(format!("{} declares no `option (countersign.v1.policy)` with an audience", method.full_name()))
        }
    }
}
