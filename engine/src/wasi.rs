//! WASI, 0.2, for components that are denied what they were not granted.
//!
//! Types and signatures are those of the WIT packages wasi:cli, wasi:clocks,
//! wasi:filesystem (see `files`), wasi:io and wasi:random.  A guest has three
//! streams: standard input, which is at its end, output and error.  Clocks and random
//! numbers work.  There are no arguments and no terminal; variables and directories
//! are those that the host gives.  The rest of WASI can be imported, and ends the call
//! when it is called.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{
    Component, ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType, WasmList,
};
use wasmtime::{Result, StoreContextMut, bail};

use crate::files;
use crate::host::{
    Datetime, Descriptor, EntryStream, ErrorCode, Host, InputStream, IoError, OutputStream, Slice,
    check, text,
};

/// What a guest may write, or ask to be written, in one call.
const WRITE_MAX: usize = 64 * 1024;

/// What a guest may ask for in one call, in random bytes.
const RANDOM_MAX: u64 = 1024 * 1024;

const NS_PER_MS: u64 = 1_000_000;

/// Streams; those of files have the numbers of these, which are greater.
const STDIN: u32 = 0;
const STDOUT: u32 = 1;
const STDERR: u32 = 2;

/* --- types of WASI --- */

struct Pollable;
struct TerminalInput;
struct TerminalOutput;
/// Of what is not provided: there are none.
struct Unavailable;

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
pub enum StreamError {
    #[component(name = "last-operation-failed")]
    Failed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

/// The type in this host of a resource that an interface defines.
fn resource_type(interface: &str, name: &str) -> ResourceType {
    match (interface, name) {
        ("wasi:io/error", "error") => ResourceType::host::<IoError>(),
        ("wasi:io/poll", "pollable") => ResourceType::host::<Pollable>(),
        ("wasi:io/streams", "input-stream") => ResourceType::host::<InputStream>(),
        ("wasi:io/streams", "output-stream") => ResourceType::host::<OutputStream>(),
        ("wasi:cli/terminal-input", "terminal-input") => ResourceType::host::<TerminalInput>(),
        ("wasi:cli/terminal-output", "terminal-output") => ResourceType::host::<TerminalOutput>(),
        ("wasi:filesystem/types", "descriptor") => ResourceType::host::<Descriptor>(),
        ("wasi:filesystem/types", "directory-entry-stream") => ResourceType::host::<EntryStream>(),
        _ => ResourceType::host::<Unavailable>(),
    }
}

/// Does the number that represents a resource denote an open file?
fn denotes_file(resource: &ResourceType, number: u32) -> bool {
    *resource == ResourceType::host::<Descriptor>()
        || *resource == ResourceType::host::<EntryStream>()
        || (*resource == ResourceType::host::<InputStream>()
            || *resource == ResourceType::host::<OutputStream>())
            && number > STDERR
}

/* --- output and input, random numbers, the end, the environment --- */

type Outcome<R> = std::result::Result<R, StreamError>;

fn of_file<R>(outcome: std::result::Result<R, ErrorCode>) -> Outcome<R> {
    outcome.map_err(|error| StreamError::Failed(Resource::new_own(error as u32)))
}

/// Reads what there is, but for a length of 0 at least a byte.
fn read(host: &Host, stream: &Resource<InputStream>, length: u64) -> Result<Outcome<Vec<u8>>> {
    if stream.rep() == STDIN {
        return Ok(Err(StreamError::Closed));
    }
    if length == 0 {
        return Ok(Ok(Vec::new()));
    }
    Ok(match files::read_stream(host, stream.rep(), length)? {
        Ok(bytes) if bytes.is_empty() => Err(StreamError::Closed),
        outcome => of_file(outcome),
    })
}

fn skip(host: &Host, stream: &Resource<InputStream>, length: u64) -> Result<Outcome<u64>> {
    Ok(read(host, stream, length)?.map(|bytes| bytes.len() as u64))
}

fn write(host: &Host, stream: &Resource<OutputStream>, bytes: &[u8]) -> Result<Outcome<()>> {
    if stream.rep() > STDERR {
        return Ok(of_file(files::write_stream(host, stream.rep(), bytes)?));
    }
    for part in bytes.chunks(WRITE_MAX) {
        check((host.write)(stream.rep(), part.as_ptr(), part.len()))?;
    }
    Ok(Ok(()))
}

fn write_zeroes(host: &Host, stream: &Resource<OutputStream>, length: u64) -> Result<Outcome<()>> {
    if length > WRITE_MAX as u64 {
        bail!("cannot write more than {WRITE_MAX} zeroes at once");
    }
    write(host, stream, &vec![0; length as usize])
}

fn splice(
    host: &Host,
    to: &Resource<OutputStream>,
    from: &Resource<InputStream>,
    length: u64,
) -> Result<Outcome<u64>> {
    Ok(match read(host, from, length)? {
        Ok(bytes) => write(host, to, &bytes)?.map(|()| bytes.len() as u64),
        Err(error) => Err(error),
    })
}

fn random_bytes(host: &Host, length: u64) -> Result<Vec<u8>> {
    if length > RANDOM_MAX {
        bail!("cannot get more than {RANDOM_MAX} random bytes at once");
    }
    let mut bytes = vec![0; length as usize];
    check((host.random)(bytes.as_mut_ptr(), bytes.len()))?;
    Ok(bytes)
}

fn random_u64(host: &Host) -> Result<u64> {
    let mut bytes = [0; 8];
    check((host.random)(bytes.as_mut_ptr(), bytes.len()))?;
    Ok(u64::from_ne_bytes(bytes))
}

fn exit<R>(host: &Host, code: u32) -> Result<R> {
    (host.exit)(code);
    bail!("the guest exited with code {code}");
}

fn environment(host: &Host) -> Vec<(String, String)> {
    let (mut name, mut value) = (Slice::NONE, Slice::NONE);
    let mut variables = Vec::new();
    while (host.environment)(variables.len(), &mut name, &mut value) {
        variables.push((text(&name), text(&value)));
    }
    variables
}

/* --- clocks --- */

/// Nanoseconds since this process first asked.
fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

fn wall_clock() -> Datetime {
    let time = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Datetime {
        seconds: time.as_secs(),
        nanoseconds: time.subsec_nanos(),
    }
}

/* --- waiting --- */

/// Represents a pollable that is ready; another one is represented by the
/// millisecond, modulo 2^32, when it will be.
const READY: u32 = 0;

/// A pollable for that time, but at most 24 days from now: more does not fit.
fn pollable_at(when: u64) -> Resource<Pollable> {
    let now = now();
    Resource::new_own(if when <= now {
        READY
    } else {
        let latest = now / NS_PER_MS + i32::MAX as u64;
        (when.div_ceil(NS_PER_MS).min(latest) as u32).max(READY + 1)
    })
}

/// How long it takes until the pollable is ready, in nanoseconds.
fn time_left(pollable: &Resource<Pollable>) -> u64 {
    if pollable.rep() == READY {
        return 0;
    }
    let now = now();
    let ahead = pollable.rep().wrapping_sub((now / NS_PER_MS) as u32) as i32;
    (ahead.max(0) as u64 * NS_PER_MS).saturating_sub(now % NS_PER_MS)
}

fn block(host: &Host, pollable: &Resource<Pollable>) -> Result<()> {
    loop {
        let left = time_left(pollable);
        if left == 0 {
            return Ok(());
        }
        check((host.sleep)(left))?;
    }
}

/// Waits for the first of the pollables, and returns the numbers of all that
/// are ready by then.
fn poll(host: &Host, pollables: &[Resource<Pollable>]) -> Result<Vec<u32>> {
    let Some(first) = pollables.iter().min_by_key(|p| time_left(p)) else {
        bail!("cannot wait for an empty list of pollables");
    };
    block(host, first)?;
    Ok((0..)
        .zip(pollables)
        .filter(|(_, pollable)| time_left(pollable) == 0)
        .map(|(index, _)| index)
        .collect())
}

/* --- interfaces: each defines the function of that name, if it has it --- */

type Instance<'a, T> = LinkerInstance<'a, T>;
type Context<'a, T> = StoreContextMut<'a, T>;

fn define_cli<T: 'static>(to: &mut Instance<T>, host: &'static Host, name: &str) -> Result<bool> {
    match name {
        "get-environment" => to.func_wrap(name, |_, ()| Ok((environment(host),))),
        "get-arguments" => to.func_wrap(name, |_, ()| Ok((Vec::<String>::new(),))),
        "initial-cwd" => to.func_wrap(name, |_, ()| Ok((None::<String>,))),
        "exit" => to.func_wrap(name, |_, (status,): (Result<(), ()>,)| {
            exit::<()>(host, status.is_err() as u32)
        }),
        "exit-with-code" => to.func_wrap(name, |_, (code,): (u8,)| exit::<()>(host, code.into())),
        "get-stdin" => to.func_wrap(name, |_, ()| Ok((Resource::<InputStream>::new_own(STDIN),))),
        "get-stdout" => to.func_wrap(name, |_, ()| {
            Ok((Resource::<OutputStream>::new_own(STDOUT),))
        }),
        "get-stderr" => to.func_wrap(name, |_, ()| {
            Ok((Resource::<OutputStream>::new_own(STDERR),))
        }),
        "get-terminal-stdin" => to.func_wrap(name, |_, ()| Ok((None::<Resource<TerminalInput>>,))),
        "get-terminal-stdout" | "get-terminal-stderr" => {
            to.func_wrap(name, |_, ()| Ok((None::<Resource<TerminalOutput>>,)))
        }
        _ => return Ok(false),
    }?;
    Ok(true)
}

fn define_poll<T: 'static>(to: &mut Instance<T>, host: &'static Host, name: &str) -> Result<bool> {
    match name {
        "[method]pollable.ready" => to.func_wrap(name, |_, (pollable,): (Resource<Pollable>,)| {
            Ok((time_left(&pollable) == 0,))
        }),
        "[method]pollable.block" => to.func_wrap(name, |_, (pollable,): (Resource<Pollable>,)| {
            block(host, &pollable)
        }),
        "poll" => to.func_wrap(name, |_, (pollables,): (Vec<Resource<Pollable>>,)| {
            Ok((poll(host, &pollables)?,))
        }),
        _ => return Ok(false),
    }?;
    Ok(true)
}

fn define_streams<T: 'static>(
    to: &mut Instance<T>,
    host: &'static Host,
    name: &str,
) -> Result<bool> {
    type In = Resource<InputStream>;
    type Out = Resource<OutputStream>;

    match name {
        "[method]input-stream.read" | "[method]input-stream.blocking-read" => to
            .func_wrap(name, |_, (stream, length): (In, u64)| {
                Ok((read(host, &stream, length)?,))
            }),
        "[method]input-stream.skip" | "[method]input-stream.blocking-skip" => to
            .func_wrap(name, |_, (stream, length): (In, u64)| {
                Ok((skip(host, &stream, length)?,))
            }),
        "[method]input-stream.subscribe" => to.func_wrap(name, |_, _: (In,)| {
            Ok((Resource::<Pollable>::new_own(READY),))
        }),
        "[method]output-stream.check-write" => {
            to.func_wrap(name, |_, _: (Out,)| Ok((Outcome::Ok(WRITE_MAX as u64),)))
        }
        "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush" => to
            .func_wrap(
                name,
                |context: Context<T>, (stream, bytes): (Out, WasmList<u8>)| {
                    Ok((write(host, &stream, bytes.as_le_slice(&context))?,))
                },
            ),
        "[method]output-stream.flush" | "[method]output-stream.blocking-flush" => {
            to.func_wrap(name, |_, _: (Out,)| Ok((Outcome::Ok(()),)))
        }
        "[method]output-stream.subscribe" => to.func_wrap(name, |_, _: (Out,)| {
            Ok((Resource::<Pollable>::new_own(READY),))
        }),
        "[method]output-stream.write-zeroes"
        | "[method]output-stream.blocking-write-zeroes-and-flush" => to
            .func_wrap(name, |_, (stream, length): (Out, u64)| {
                Ok((write_zeroes(host, &stream, length)?,))
            }),
        "[method]output-stream.splice" | "[method]output-stream.blocking-splice" => {
            to.func_wrap(name, |_, (stream, from, length): (Out, In, u64)| {
                Ok((splice(host, &stream, &from, length)?,))
            })
        }
        _ => return Ok(false),
    }?;
    Ok(true)
}

fn define_errors<T: 'static>(to: &mut Instance<T>, name: &str) -> Result<bool> {
    match name {
        "[method]error.to-debug-string" => to
            .func_wrap(name, |_, (error,): (Resource<IoError>,)| {
                Ok((format!("{:?}", ErrorCode::new(error.rep())),))
            }),
        _ => return Ok(false),
    }?;
    Ok(true)
}

fn define_monotonic_clock<T: 'static>(to: &mut Instance<T>, name: &str) -> Result<bool> {
    match name {
        "now" => to.func_wrap(name, |_, ()| Ok((now(),))),
        "resolution" => to.func_wrap(name, |_, ()| Ok((1u64,))),
        "subscribe-instant" => to.func_wrap(name, |_, (when,): (u64,)| Ok((pollable_at(when),))),
        "subscribe-duration" => to.func_wrap(name, |_, (duration,): (u64,)| {
            Ok((pollable_at(now().saturating_add(duration)),))
        }),
        _ => return Ok(false),
    }?;
    Ok(true)
}

fn define_wall_clock<T: 'static>(to: &mut Instance<T>, name: &str) -> Result<bool> {
    match name {
        "now" => to.func_wrap(name, |_, ()| Ok((wall_clock(),))),
        "resolution" => to.func_wrap(name, |_, ()| {
            Ok((Datetime {
                seconds: 0,
                nanoseconds: 1,
            },))
        }),
        _ => return Ok(false),
    }?;
    Ok(true)
}

fn define_random<T: 'static>(
    to: &mut Instance<T>,
    host: &'static Host,
    name: &str,
) -> Result<bool> {
    match name {
        "get-random-bytes" | "get-insecure-random-bytes" => to
            .func_wrap(name, |_, (length,): (u64,)| {
                Ok((random_bytes(host, length)?,))
            }),
        "get-random-u64" | "get-insecure-random-u64" => {
            to.func_wrap(name, |_, ()| Ok((random_u64(host)?,)))
        }
        "insecure-seed" => {
            to.func_wrap(name, |_, ()| Ok(((random_u64(host)?, random_u64(host)?),)))
        }
        _ => return Ok(false),
    }?;
    Ok(true)
}

fn define_preopens<T: 'static>(
    to: &mut Instance<T>,
    host: &'static Host,
    name: &str,
) -> Result<bool> {
    match name {
        "get-directories" => to.func_wrap(name, |_, ()| Ok((files::directories(host)?,))),
        _ => return Ok(false),
    }?;
    Ok(true)
}

fn define<T: 'static>(
    to: &mut Instance<T>,
    host: &'static Host,
    interface: &str,
    name: &str,
) -> Result<bool> {
    match interface {
        "wasi:cli/environment"
        | "wasi:cli/exit"
        | "wasi:cli/stdin"
        | "wasi:cli/stdout"
        | "wasi:cli/stderr"
        | "wasi:cli/terminal-stdin"
        | "wasi:cli/terminal-stdout"
        | "wasi:cli/terminal-stderr" => define_cli(to, host, name),
        "wasi:io/error" => define_errors(to, name),
        "wasi:io/poll" => define_poll(to, host, name),
        "wasi:io/streams" => define_streams(to, host, name),
        "wasi:clocks/monotonic-clock" => define_monotonic_clock(to, name),
        "wasi:clocks/wall-clock" => define_wall_clock(to, name),
        "wasi:random/random" | "wasi:random/insecure" | "wasi:random/insecure-seed" => {
            define_random(to, host, name)
        }
        "wasi:filesystem/preopens" => define_preopens(to, host, name),
        "wasi:filesystem/types" => files::define(to, host, name),
        _ => Ok(false),
    }
}

/* --- for the component --- */

/// Is that the name of an import for which `add_to_linker` provides?
pub fn is_wasi(import: &str) -> bool {
    import.starts_with("wasi:")
}

/// The interface without its version, when that is a release of 0.2.
fn provided_interface(import: &str) -> Option<&str> {
    let (interface, version) = import.split_once('@')?;
    let patch = version.strip_prefix("0.2.")?;
    (!patch.is_empty() && patch.bytes().all(|b| b.is_ascii_digit())).then_some(interface)
}

/// Defines all that the component imports from WASI, under the names by which
/// it does.  The linker is this component's own.
pub fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    component: &Component,
    host: &'static Host,
) -> Result<()> {
    let engine = component.engine();
    let component_type = component.component_type();
    let mut resources = Vec::new();

    for (import, item) in component_type.imports(engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else {
            continue;
        };
        if !is_wasi(import) {
            continue;
        }
        let interface = provided_interface(import).unwrap_or_default();
        let mut to = linker.instance(import)?;
        for (name, item) in instance.exports(engine) {
            match item.ty {
                // the first that names a resource defines it, others use it
                ComponentItem::Resource(resource) if !resources.contains(&resource) => {
                    let ty = resource_type(interface, name);
                    to.resource(name, ty, move |_, number| {
                        if denotes_file(&ty, number) {
                            files::close(host, number)?;
                        }
                        Ok(())
                    })?;
                    resources.push(resource);
                }
                ComponentItem::ComponentFunc(_) if !define(&mut to, host, interface, name)? => {
                    let function = format!("{import}#{name}");
                    to.func_new(name, move |_, _, _, _| bail!("{function} is not available"))?;
                }
                _ => (),
            }
        }
    }
    Ok(())
}
