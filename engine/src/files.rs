//! Files in WASI, 0.2: the interface wasi:filesystem/types.
//!
//! A descriptor is represented by the host's number of an open file, and so is a
//! stream of a file or of a directory's entries.  The host does all the work, in one
//! function; it also knows which paths a guest may use.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem;

use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower, Resource, WasmList, flags};
use wasmtime::{Result, StoreContextMut};

use crate::host::{
    Datetime, Descriptor, EntryStream, ErrorCode, Host, InputStream, IoError, ONWARDS, Operation,
    Outcome, OutputStream, Request, Slice, Time, text,
};

/// In Request.flags
mod bits {
    pub const CREATE: u32 = 1;
    pub const DIRECTORY: u32 = 2;
    pub const EXCLUSIVE: u32 = 4;
    pub const TRUNCATE: u32 = 8;
    pub const FOLLOW: u32 = 16;
    pub const READ: u32 = 32;
    pub const WRITE: u32 = 64;
    pub const FILE_SYNC: u32 = 128;
    pub const DATA_SYNC: u32 = 256;
    pub const MUTATE: u32 = 512;
}

/// What one call reads at most
const READ_MAX: u64 = 64 * 1024;

/// More than the longest name or path
const NAME_ROOM: usize = 4096;

/* --- types of WASI --- */

#[derive(ComponentType, Lift, Lower, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code)] // most are made of numbers
enum Kind {
    #[component(name = "unknown")]
    Unknown,
    #[component(name = "block-device")]
    BlockDevice,
    #[component(name = "character-device")]
    CharacterDevice,
    #[component(name = "directory")]
    Directory,
    #[component(name = "fifo")]
    Fifo,
    #[component(name = "symbolic-link")]
    SymbolicLink,
    #[component(name = "regular-file")]
    RegularFile,
    #[component(name = "socket")]
    Socket,
}

impl Kind {
    fn new(number: u32) -> Kind {
        if number > Kind::Socket as u32 {
            return Kind::Unknown;
        }
        // SAFETY: the enum has all numbers up to this one
        unsafe { mem::transmute(number as u8) }
    }
}

flags! {
    DescriptorFlags {
        #[component(name = "read")]
        const READ;
        #[component(name = "write")]
        const WRITE;
        #[component(name = "file-integrity-sync")]
        const FILE_SYNC;
        #[component(name = "data-integrity-sync")]
        const DATA_SYNC;
        #[component(name = "requested-write-sync")]
        const REQUESTED_SYNC;
        #[component(name = "mutate-directory")]
        const MUTATE;
    }
}

flags! {
    PathFlags {
        #[component(name = "symlink-follow")]
        const FOLLOW;
    }
}

flags! {
    OpenFlags {
        #[component(name = "create")]
        const CREATE;
        #[component(name = "directory")]
        const DIRECTORY;
        #[component(name = "exclusive")]
        const EXCLUSIVE;
        #[component(name = "truncate")]
        const TRUNCATE;
    }
}

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum NewTimestamp {
    #[component(name = "no-change")]
    NoChange,
    #[component(name = "now")]
    Now,
    #[component(name = "timestamp")]
    Timestamp(Datetime),
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct DescriptorStat {
    #[component(name = "type")]
    kind: Kind,
    #[component(name = "link-count")]
    links: u64,
    size: u64,
    #[component(name = "data-access-timestamp")]
    accessed: Option<Datetime>,
    #[component(name = "data-modification-timestamp")]
    modified: Option<Datetime>,
    #[component(name = "status-change-timestamp")]
    changed: Option<Datetime>,
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct DirectoryEntry {
    #[component(name = "type")]
    kind: Kind,
    name: String,
}

#[derive(ComponentType, Lift, Lower, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code)] // guests make them
enum Advice {
    #[component(name = "normal")]
    Normal,
    #[component(name = "sequential")]
    Sequential,
    #[component(name = "random")]
    Random,
    #[component(name = "will-need")]
    WillNeed,
    #[component(name = "dont-need")]
    DontNeed,
    #[component(name = "no-reuse")]
    NoReuse,
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct MetadataHash {
    lower: u64,
    upper: u64,
}

type File = Resource<Descriptor>;

/* --- what is read and written --- */

/// Reads some bytes of a file, or of a stream; none: at the end.
pub fn read(host: &Host, number: u32, length: u64, offset: u64) -> Result<Outcome<Vec<u8>>> {
    let mut bytes = vec![0; length.min(READ_MAX) as usize];
    let answer = Request::new(number)
        .at(offset)
        .buffer(bytes.as_mut_ptr(), bytes.len())
        .ask(host, Operation::Read)?;
    Ok(answer.map(|answer| {
        bytes.truncate(answer.count);
        bytes
    }))
}

pub fn read_stream(host: &Host, number: u32, length: u64) -> Result<Outcome<Vec<u8>>> {
    read(host, number, length, ONWARDS)
}

fn write(host: &Host, number: u32, bytes: &[u8], offset: u64) -> Result<Outcome<u64>> {
    let answer = Request::new(number)
        .at(offset)
        .buffer(bytes.as_ptr().cast_mut(), bytes.len())
        .ask(host, Operation::Write)?;
    Ok(answer.map(|answer| answer.count as u64))
}

/// Writes all of the bytes.
pub fn write_stream(host: &Host, number: u32, mut bytes: &[u8]) -> Result<Outcome<()>> {
    while !bytes.is_empty() {
        match write(host, number, bytes, ONWARDS)? {
            Ok(0) => return Ok(Err(ErrorCode::Io)),
            Ok(count) => bytes = &bytes[count as usize..],
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(()))
}

/// A guest drops what is represented by the number of a file.
pub fn close(host: &Host, number: u32) -> Result<()> {
    Request::new(number).run(host, Operation::Close)?.ok();
    Ok(())
}

/// The directories that the guest was granted, and their names
pub fn directories(host: &Host) -> Result<Vec<(Resource<Descriptor>, String)>> {
    let mut found = Vec::new();
    while let Ok(grant) = Request::new(found.len() as u32).ask(host, Operation::Grant)? {
        found.push((Resource::new_own(grant.number), text(&grant.path)));
    }
    Ok(found)
}

/* --- between WASI and requests --- */

fn follow(flags: &PathFlags) -> u32 {
    if flags.contains(PathFlags::FOLLOW) {
        bits::FOLLOW
    } else {
        0
    }
}

/// The bits of those that are set
fn sum(flags: &[(bool, u32)]) -> u32 {
    flags.iter().filter(|flag| flag.0).map(|flag| flag.1).sum()
}

fn open_bits(path: &PathFlags, open: &OpenFlags, flags: &DescriptorFlags) -> u32 {
    let file_sync = DescriptorFlags::FILE_SYNC | DescriptorFlags::REQUESTED_SYNC;
    follow(path)
        | sum(&[
            (open.contains(OpenFlags::CREATE), bits::CREATE),
            (open.contains(OpenFlags::DIRECTORY), bits::DIRECTORY),
            (open.contains(OpenFlags::EXCLUSIVE), bits::EXCLUSIVE),
            (open.contains(OpenFlags::TRUNCATE), bits::TRUNCATE),
            (flags.contains(DescriptorFlags::READ), bits::READ),
            (flags.contains(DescriptorFlags::WRITE), bits::WRITE),
            (flags.intersects(file_sync), bits::FILE_SYNC),
            (flags.contains(DescriptorFlags::DATA_SYNC), bits::DATA_SYNC),
        ])
}

fn descriptor_flags(bits: u32) -> DescriptorFlags {
    let known = [
        (bits::READ, DescriptorFlags::READ),
        (bits::WRITE, DescriptorFlags::WRITE),
        (bits::FILE_SYNC, DescriptorFlags::FILE_SYNC),
        (bits::DATA_SYNC, DescriptorFlags::DATA_SYNC),
        (bits::MUTATE, DescriptorFlags::MUTATE),
    ];
    known
        .into_iter()
        .filter(|(bit, _)| bits & bit != 0)
        .fold(DescriptorFlags::default(), |all, (_, flag)| all | flag)
}

fn time_to_set(time: &NewTimestamp) -> Time {
    match time {
        NewTimestamp::NoChange => Time::default(),
        NewTimestamp::Now => Time {
            is_set: true,
            is_now: true,
            ..Time::default()
        },
        NewTimestamp::Timestamp(time) => Time {
            is_set: true,
            is_now: false,
            nanoseconds: time.nanoseconds,
            seconds: time.seconds,
        },
    }
}

fn status(request: Request, host: &Host) -> Result<Outcome<DescriptorStat>> {
    // none for what was before 1970
    let time = |time: Time| {
        i64::try_from(time.seconds).ok().map(|_| Datetime {
            seconds: time.seconds,
            nanoseconds: time.nanoseconds,
        })
    };
    let answer = request.ask(host, Operation::Status)?;
    Ok(answer.map(|answer| DescriptorStat {
        kind: Kind::new(answer.status.kind),
        links: answer.status.links,
        size: answer.status.size,
        accessed: time(answer.status.times[0]),
        modified: time(answer.status.times[1]),
        changed: time(answer.status.times[2]),
    }))
}

/// Of what tells files and their states apart
fn metadata_hash(request: Request, host: &Host) -> Result<Outcome<MetadataHash>> {
    let answer = request.ask(host, Operation::Status)?;
    Ok(answer.map(|answer| {
        let status = answer.status;
        let mut hasher = DefaultHasher::new();
        let modified = status.times[1];
        (status.device, status.inode).hash(&mut hasher);
        let lower = hasher.finish();
        (status.size, modified.seconds, modified.nanoseconds).hash(&mut hasher);
        MetadataHash {
            lower,
            upper: hasher.finish(),
        }
    }))
}

fn is_same(host: &Host, file: &File, other: &File) -> Result<bool> {
    let one = Request::of(file).ask(host, Operation::Status)?;
    let two = Request::of(other).ask(host, Operation::Status)?;
    Ok(match (one, two) {
        (Ok(one), Ok(two)) => {
            (one.status.device, one.status.inode) == (two.status.device, two.status.inode)
        }
        _ => false,
    })
}

fn set_times(
    mut request: Request,
    host: &Host,
    accessed: &NewTimestamp,
    modified: &NewTimestamp,
) -> Result<Outcome<()>> {
    request.times = [time_to_set(accessed), time_to_set(modified)];
    request.run(host, Operation::SetTimes)
}

fn name_of(bytes: &[u8]) -> Outcome<String> {
    let name = str::from_utf8(bytes).map_err(|_| ErrorCode::IllegalByteSequence)?;
    Ok(name.to_owned())
}

fn next_entry(
    host: &Host,
    stream: &Resource<EntryStream>,
) -> Result<Outcome<Option<DirectoryEntry>>> {
    let mut name = [0; NAME_ROOM];
    let answer = Request::new(stream.rep())
        .buffer(name.as_mut_ptr(), name.len())
        .ask(host, Operation::NextEntry)?;
    Ok(answer.and_then(|answer| match answer.count {
        0 => Ok(None),
        count => Ok(Some(DirectoryEntry {
            kind: Kind::new(answer.status.kind),
            name: name_of(&name[..count])?,
        })),
    }))
}

fn read_link(host: &Host, file: &File, path: &str) -> Result<Outcome<String>> {
    let mut target = [0; NAME_ROOM];
    let answer = Request::of(file)
        .path(path, 0)
        .buffer(target.as_mut_ptr(), target.len())
        .ask(host, Operation::ReadLink)?;
    Ok(answer.and_then(|answer| name_of(&target[..answer.count])))
}

fn rename(host: &Host, file: &File, path: &str, to: &File, to_path: &str) -> Result<Outcome<()>> {
    let mut request = Request::of(file).path(path, 0);
    request.other = to.rep();
    request.other_path = Slice::new(to_path);
    request.run(host, Operation::Rename)
}

/* --- the interface --- */

type Instance<'a, T> = LinkerInstance<'a, T>;
type Context<'a, T> = StoreContextMut<'a, T>;

/// What is opened, read and written
fn define_contents<T: 'static>(
    to: &mut Instance<T>,
    host: &'static Host,
    name: &str,
) -> Result<bool> {
    match name {
        "[method]descriptor.read-via-stream" => {
            to.func_wrap(name, |_, (file, offset): (File, u64)| {
                let request = Request::of(&file).at(offset);
                Ok((request.open::<InputStream>(host, Operation::Stream)?,))
            })
        }
        "[method]descriptor.write-via-stream" => {
            to.func_wrap(name, |_, (file, offset): (File, u64)| {
                let request = Request::of(&file).at(offset);
                Ok((request.open::<OutputStream>(host, Operation::Stream)?,))
            })
        }
        "[method]descriptor.append-via-stream" => to.func_wrap(name, |_, (file,): (File,)| {
            Ok((Request::of(&file).open::<OutputStream>(host, Operation::StreamToEnd)?,))
        }),
        "[method]descriptor.read" => {
            to.func_wrap(name, |_, (file, length, offset): (File, u64, u64)| {
                let bytes = read(host, file.rep(), length, offset.min(ONWARDS - 1))?;
                Ok((bytes.map(|bytes| {
                    let is_end = bytes.is_empty();
                    (bytes, is_end)
                }),))
            })
        }
        "[method]descriptor.write" => to.func_wrap(
            name,
            |context: Context<T>, (file, bytes, offset): (File, WasmList<u8>, u64)| {
                let bytes = bytes.as_le_slice(&context);
                Ok((write(host, file.rep(), bytes, offset.min(ONWARDS - 1))?,))
            },
        ),
        "[method]descriptor.open-at" => to.func_wrap(
            name,
            |_,
             (file, path_flags, path, open_flags, flags): (
                File,
                PathFlags,
                String,
                OpenFlags,
                DescriptorFlags,
            )| {
                let request =
                    Request::of(&file).path(&path, open_bits(&path_flags, &open_flags, &flags));
                Ok((request.open::<Descriptor>(host, Operation::Open)?,))
            },
        ),
        "[method]descriptor.read-directory" => to.func_wrap(name, |_, (file,): (File,)| {
            Ok((Request::of(&file).open::<EntryStream>(host, Operation::StreamEntries)?,))
        }),
        "[method]directory-entry-stream.read-directory-entry" => to
            .func_wrap(name, |_, (stream,): (Resource<EntryStream>,)| {
                Ok((next_entry(host, &stream)?,))
            }),
        _ => return Ok(false),
    }?;
    Ok(true)
}

/// What is known of a file, and set
fn define_state<T: 'static>(to: &mut Instance<T>, host: &'static Host, name: &str) -> Result<bool> {
    match name {
        "[method]descriptor.advise" => {
            to.func_wrap(name, |_, (file, _, _, _): (File, u64, u64, Advice)| {
                Ok((Request::of(&file).run(host, Operation::Flags)?,))
            })
        }
        "[method]descriptor.sync" => to.func_wrap(name, |_, (file,): (File,)| {
            Ok((Request::of(&file).run(host, Operation::Sync)?,))
        }),
        "[method]descriptor.sync-data" => to.func_wrap(name, |_, (file,): (File,)| {
            Ok((Request::of(&file).run(host, Operation::SyncData)?,))
        }),
        "[method]descriptor.get-flags" => to.func_wrap(name, |_, (file,): (File,)| {
            let answer = Request::of(&file).ask(host, Operation::Flags)?;
            Ok((answer.map(|answer| descriptor_flags(answer.flags)),))
        }),
        "[method]descriptor.get-type" => to.func_wrap(name, |_, (file,): (File,)| {
            let answer = Request::of(&file).ask(host, Operation::Status)?;
            Ok((answer.map(|answer| Kind::new(answer.status.kind)),))
        }),
        "[method]descriptor.set-size" => to.func_wrap(name, |_, (file, size): (File, u64)| {
            Ok((Request::of(&file).at(size).run(host, Operation::SetSize)?,))
        }),
        "[method]descriptor.set-times" => to.func_wrap(
            name,
            |_, (file, accessed, modified): (File, NewTimestamp, NewTimestamp)| {
                Ok((set_times(Request::of(&file), host, &accessed, &modified)?,))
            },
        ),
        "[method]descriptor.stat" => to.func_wrap(name, |_, (file,): (File,)| {
            Ok((status(Request::of(&file), host)?,))
        }),
        "[method]descriptor.is-same-object" => to
            .func_wrap(name, |_, (file, other): (File, File)| {
                Ok((is_same(host, &file, &other)?,))
            }),
        "[method]descriptor.metadata-hash" => to.func_wrap(name, |_, (file,): (File,)| {
            Ok((metadata_hash(Request::of(&file), host)?,))
        }),
        "filesystem-error-code" => to.func_wrap(name, |_, (error,): (Resource<IoError>,)| {
            Ok((Some(ErrorCode::new(error.rep())),))
        }),
        _ => return Ok(false),
    }?;
    Ok(true)
}

/// What is done to a path
fn define_paths<T: 'static>(to: &mut Instance<T>, host: &'static Host, name: &str) -> Result<bool> {
    type Path = (File, String);
    type FlagsAndPath = (File, PathFlags, String);
    type TwoPaths = (File, String, File, String);

    match name {
        "[method]descriptor.create-directory-at" => to.func_wrap(name, |_, (file, path): Path| {
            Ok((Request::of(&file)
                .path(&path, 0)
                .run(host, Operation::MakeDirectory)?,))
        }),
        "[method]descriptor.remove-directory-at" => to.func_wrap(name, |_, (file, path): Path| {
            Ok((Request::of(&file)
                .path(&path, 0)
                .run(host, Operation::RemoveDirectory)?,))
        }),
        "[method]descriptor.unlink-file-at" => to.func_wrap(name, |_, (file, path): Path| {
            Ok((Request::of(&file)
                .path(&path, 0)
                .run(host, Operation::RemoveFile)?,))
        }),
        "[method]descriptor.readlink-at" => to.func_wrap(name, |_, (file, path): Path| {
            Ok((read_link(host, &file, &path)?,))
        }),
        "[method]descriptor.stat-at" => {
            to.func_wrap(name, |_, (file, flags, path): FlagsAndPath| {
                Ok((status(
                    Request::of(&file).path(&path, follow(&flags)),
                    host,
                )?,))
            })
        }
        "[method]descriptor.metadata-hash-at" => {
            to.func_wrap(name, |_, (file, flags, path): FlagsAndPath| {
                Ok((metadata_hash(
                    Request::of(&file).path(&path, follow(&flags)),
                    host,
                )?,))
            })
        }
        "[method]descriptor.set-times-at" => to.func_wrap(
            name,
            |_,
             (file, flags, path, accessed, modified): (
                File,
                PathFlags,
                String,
                NewTimestamp,
                NewTimestamp,
            )| {
                let request = Request::of(&file).path(&path, follow(&flags));
                Ok((set_times(request, host, &accessed, &modified)?,))
            },
        ),
        "[method]descriptor.rename-at" => {
            to.func_wrap(name, |_, (file, path, other, other_path): TwoPaths| {
                Ok((rename(host, &file, &path, &other, &other_path)?,))
            })
        }
        "[method]descriptor.link-at" => to.func_wrap(
            name,
            |_, (file, _, _, _, _): (File, PathFlags, String, File, String)| {
                Ok((Request::of(&file).run(host, Operation::Link)?,))
            },
        ),
        "[method]descriptor.symlink-at" => {
            to.func_wrap(name, |_, (file, _, _): (File, String, String)| {
                Ok((Request::of(&file).run(host, Operation::Link)?,))
            })
        }
        _ => return Ok(false),
    }?;
    Ok(true)
}

/// Defines the function of that name, if the interface has it.
pub fn define<T: 'static>(to: &mut Instance<T>, host: &'static Host, name: &str) -> Result<bool> {
    Ok(define_contents(to, host, name)?
        || define_state(to, host, name)?
        || define_paths(to, host, name)?)
}
