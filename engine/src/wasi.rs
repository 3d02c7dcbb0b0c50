//! WASI, 0.2, for components that are denied everything.
//!
//! Types and signatures are those of the WIT packages wasi:cli, wasi:clocks,
//! wasi:filesystem, wasi:io and wasi:random.  A guest has three streams: standard
//! input, which is at its end, output and error.  Clocks and random numbers work.
//! There are no files, no directories, no arguments and no terminal; variables
//! are those that the host gives.  The rest of WASI can be imported, and ends
//! the call when it is called.
//!
//! No resource has a state outside of its 32-bit representation, so an instance
//! that is dropped leaves nothing behind.

use std::slice;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{
    Component, ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType, WasmList,
};
use wasmtime::{Result, StoreContextMut, bail};

/// Bytes that live until the host is called again.
#[repr(C)]
pub struct Slice {
    pub data: *const u8,
    pub length: usize,
}

/// What the process does for its guests; `pgw_wasi_host_t` in C.  None of these
/// unwinds or jumps.  After a `false` that means a failure the call ends with an
/// error, and the host knows which.
#[repr(C)]
pub struct Host {
    /// Takes output: stream 1 is standard output, 2 is standard error.  At most
    /// `WRITE_MAX` bytes at a time.  False: failed.
    pub write: extern "C" fn(stream: u32, bytes: *const u8, length: usize) -> bool,
    /// Waits for about so long.  False: failed, or interrupted.
    pub sleep: extern "C" fn(nanoseconds: u64) -> bool,
    /// The guest ends itself; the call ends with an error after this.
    pub exit: extern "C" fn(code: u32),
    /// False: failed.
    pub random: extern "C" fn(bytes: *mut u8, length: usize) -> bool,
    /// The variable of that number, in UTF-8.  False: there are no more.
    pub environment: extern "C" fn(index: usize, name: *mut Slice, value: *mut Slice) -> bool,
}

/// What a guest may write, or ask to be written, in one call.
const WRITE_MAX: usize = 64 * 1024;

/// What a guest may ask for in one call, in random bytes.
const RANDOM_MAX: u64 = 1024 * 1024;

const NS_PER_MS: u64 = 1_000_000;

const STDOUT: u32 = 1;
const STDERR: u32 = 2;

/* --- types of WASI --- */

struct IoError;
struct Pollable;
struct InputStream;
struct OutputStream;
struct TerminalInput;
struct TerminalOutput;
struct Descriptor;

/// Of what is not provided: there are none.
struct Unavailable;

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    Failed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
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
        _ => ResourceType::host::<Unavailable>(),
    }
}

/* --- the host --- */

/// The call ends here when the host has failed.
fn check(succeeded: bool) -> Result<()> {
    if !succeeded {
        bail!("the host could not serve a call of WASI");
    }
    Ok(())
}

fn write(host: &Host, stream: &Resource<OutputStream>, bytes: &[u8]) -> Result<()> {
    for part in bytes.chunks(WRITE_MAX) {
        check((host.write)(stream.rep(), part.as_ptr(), part.len()))?;
    }
    Ok(())
}

fn write_zeroes(host: &Host, stream: &Resource<OutputStream>, length: u64) -> Result<()> {
    if length > WRITE_MAX as u64 {
        bail!("cannot write more than {WRITE_MAX} zeroes at once");
    }
    write(host, stream, &vec![0; length as usize])
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
    let empty = || Slice {
        data: [].as_ptr(),
        length: 0,
    };
    let text = |slice: &Slice| {
        // SAFETY: the host gives bytes that live until it is called again
        let bytes = unsafe { slice::from_raw_parts(slice.data, slice.length) };
        String::from_utf8_lossy(bytes).into_owned()
    };
    let (mut name, mut value) = (empty(), empty());
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
        "get-stdin" => to.func_wrap(name, |_, ()| Ok((Resource::<InputStream>::new_own(0),))),
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
    type Outcome<R> = Result<R, StreamError>;
    const DONE: Outcome<()> = Ok(());

    match name {
        "[method]input-stream.read" | "[method]input-stream.blocking-read" => to
            .func_wrap(name, |_, _: (In, u64)| {
                Ok((Outcome::<Vec<u8>>::Err(StreamError::Closed),))
            }),
        "[method]input-stream.skip" | "[method]input-stream.blocking-skip" => to
            .func_wrap(name, |_, _: (In, u64)| {
                Ok((Outcome::<u64>::Err(StreamError::Closed),))
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
                    write(host, &stream, bytes.as_le_slice(&context))?;
                    Ok((DONE,))
                },
            ),
        "[method]output-stream.flush" | "[method]output-stream.blocking-flush" => {
            to.func_wrap(name, |_, _: (Out,)| Ok((DONE,)))
        }
        "[method]output-stream.subscribe" => to.func_wrap(name, |_, _: (Out,)| {
            Ok((Resource::<Pollable>::new_own(READY),))
        }),
        "[method]output-stream.write-zeroes"
        | "[method]output-stream.blocking-write-zeroes-and-flush" => {
            to.func_wrap(name, |_, (stream, length): (Out, u64)| {
                write_zeroes(host, &stream, length)?;
                Ok((DONE,))
            })
        }
        "[method]output-stream.splice" | "[method]output-stream.blocking-splice" => to
            .func_wrap(name, |_, _: (Out, In, u64)| {
                Ok((Outcome::<u64>::Err(StreamError::Closed),))
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

fn define_preopens<T: 'static>(to: &mut Instance<T>, name: &str) -> Result<bool> {
    match name {
        "get-directories" => to.func_wrap(name, |_, ()| {
            Ok((Vec::<(Resource<Descriptor>, String)>::new(),))
        }),
        _ => return Ok(false),
    }?;
    Ok(true)
}

/// Methods of files, which a guest cannot have, are not defined here.
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
        "wasi:io/poll" => define_poll(to, host, name),
        "wasi:io/streams" => define_streams(to, host, name),
        "wasi:clocks/monotonic-clock" => define_monotonic_clock(to, name),
        "wasi:clocks/wall-clock" => define_wall_clock(to, name),
        "wasi:random/random" | "wasi:random/insecure" | "wasi:random/insecure-seed" => {
            define_random(to, host, name)
        }
        "wasi:filesystem/preopens" => define_preopens(to, name),
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
                    to.resource(name, resource_type(interface, name), |_, _| Ok(()))?;
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
