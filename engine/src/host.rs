//! What the process does for guests of WASI, by functions in C.
//!
//! No resource has a state outside of its 32-bit representation, but for files, which
//! the host closes with the instance.

use std::{mem, ptr, slice};

use wasmtime::component::{ComponentType, Lift, Lower, Resource};
use wasmtime::{Result, bail};

/// Bytes that live until the host is called again.
#[repr(C)]
pub struct Slice {
    data: *const u8,
    length: usize,
}

impl Slice {
    pub const NONE: Slice = Slice {
        data: ptr::null(),
        length: 0,
    };

    pub fn new(text: &str) -> Slice {
        Slice {
            data: text.as_ptr(),
            length: text.len(),
        }
    }
}

/// What the process does for its guests; `PgwWasiHost` in C.  None of these
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
    /// Does something with a file.  False: failed, while an error of the file is one
    /// of the request.
    pub file: extern "C" fn(Operation, &mut Request) -> bool,
}

/// The call ends here when the host has failed.
pub fn check(succeeded: bool) -> Result<()> {
    if !succeeded {
        bail!("the host could not serve a call of WASI");
    }
    Ok(())
}

/// What a slice from the host says
pub fn text(slice: &Slice) -> String {
    if slice.length == 0 {
        return String::new();
    }
    // SAFETY: the host gives bytes that live until it is called again
    let bytes = unsafe { slice::from_raw_parts(slice.data, slice.length) };
    String::from_utf8_lossy(bytes).into_owned()
}

/* --- files --- */

/// What the host is asked to do; `PgwFileOperation` in C.  All take the number of a
/// file, and most no more; what else they take and give is said here.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum Operation {
    /// the directory of that index: number and name, or error bad-descriptor
    Grant,
    /// gives nothing, not even an error
    Close,
    /// path, flags; number
    Open,
    /// offset; number
    Stream,
    /// number
    StreamToEnd,
    /// number
    StreamEntries,
    /// bytes, length, offset or `ONWARDS`; count
    Read,
    /// the same
    Write,
    /// flags
    Flags,
    /// offset: the new size
    SetSize,
    Sync,
    SyncData,
    /// path or none, flags; status
    Status,
    /// path or none, flags, times
    SetTimes,
    /// bytes, length; count, 0 at the end; status.kind
    NextEntry,
    /// path
    MakeDirectory,
    /// path
    RemoveDirectory,
    /// path
    RemoveFile,
    /// path, other, other_path
    Rename,
    /// path, bytes, length; count
    ReadLink,
    /// gives an error always, if only that links are not made
    Link,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Time {
    /// in Request.times: is it to be changed?
    pub is_set: bool,
    /// is it to be the present?
    pub is_now: bool,
    pub nanoseconds: u32,
    pub seconds: u64,
}

#[repr(C)]
#[derive(Default)]
pub struct Status {
    /// the number of a [`Kind`]
    pub kind: u32,
    pub device: u64,
    pub inode: u64,
    pub links: u64,
    pub size: u64,
    /// of access, modification and change
    pub times: [Time; 3],
}

/// As an offset: where the stream is
pub const ONWARDS: u64 = u64::MAX;

/// `PgwFileRequest` in C
#[repr(C)]
pub struct Request {
    pub number: u32,
    pub other: u32,
    pub path: Slice,
    pub other_path: Slice,
    pub flags: u32,
    offset: u64,
    bytes: *mut u8,
    length: usize,
    /// of access and modification
    pub times: [Time; 2],
    /// 0, or one more than the number of an [`ErrorCode`]
    error: u32,
    pub count: usize,
    pub status: Status,
}

/// Of a file, or why there is none
pub type Outcome<T> = std::result::Result<T, ErrorCode>;

impl Request {
    pub fn new(number: u32) -> Request {
        Request {
            number,
            other: 0,
            path: Slice::NONE,
            other_path: Slice::NONE,
            flags: 0,
            offset: 0,
            bytes: [].as_mut_ptr(),
            length: 0,
            times: [Time::default(); 2],
            error: 0,
            count: 0,
            status: Status::default(),
        }
    }

    pub fn of(file: &Resource<Descriptor>) -> Request {
        Request::new(file.rep())
    }

    pub fn path(mut self, path: &str, flags: u32) -> Request {
        self.path = Slice::new(path);
        self.flags = flags;
        self
    }

    pub fn at(mut self, offset: u64) -> Request {
        self.offset = offset;
        self
    }

    /// The host is asked before the buffer is gone.
    pub fn buffer(mut self, bytes: *mut u8, length: usize) -> Request {
        self.bytes = bytes;
        self.length = length;
        self
    }

    /// The outer result is that of a call which ends the guest's.
    pub fn ask(mut self, host: &Host, operation: Operation) -> Result<Outcome<Request>> {
        check((host.file)(operation, &mut self))?;
        Ok(match self.error {
            0 => Ok(self),
            error => Err(ErrorCode::new(error - 1)),
        })
    }

    pub fn run(self, host: &Host, operation: Operation) -> Result<Outcome<()>> {
        Ok(self.ask(host, operation)?.map(|_| ()))
    }

    /// Opens something.
    pub fn open<R: 'static>(
        self,
        host: &Host,
        operation: Operation,
    ) -> Result<Outcome<Resource<R>>> {
        let answer = self.ask(host, operation)?;
        Ok(answer.map(|answer| Resource::new_own(answer.number)))
    }
}

/* --- types of WASI --- */

/// Represented by the number of an [`ErrorCode`]
pub struct IoError;
pub struct InputStream;
pub struct OutputStream;
pub struct Descriptor;
/// Of a directory
pub struct EntryStream;

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
pub struct Datetime {
    pub seconds: u64,
    pub nanoseconds: u32,
}

#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code)] // most are made of numbers
pub enum ErrorCode {
    #[component(name = "access")]
    Access,
    #[component(name = "would-block")]
    WouldBlock,
    #[component(name = "already")]
    Already,
    #[component(name = "bad-descriptor")]
    BadDescriptor,
    #[component(name = "busy")]
    Busy,
    #[component(name = "deadlock")]
    Deadlock,
    #[component(name = "quota")]
    Quota,
    #[component(name = "exist")]
    Exist,
    #[component(name = "file-too-large")]
    FileTooLarge,
    #[component(name = "illegal-byte-sequence")]
    IllegalByteSequence,
    #[component(name = "in-progress")]
    InProgress,
    #[component(name = "interrupted")]
    Interrupted,
    #[component(name = "invalid")]
    Invalid,
    #[component(name = "io")]
    Io,
    #[component(name = "is-directory")]
    IsDirectory,
    #[component(name = "loop")]
    Loop,
    #[component(name = "too-many-links")]
    TooManyLinks,
    #[component(name = "message-size")]
    MessageSize,
    #[component(name = "name-too-long")]
    NameTooLong,
    #[component(name = "no-device")]
    NoDevice,
    #[component(name = "no-entry")]
    NoEntry,
    #[component(name = "no-lock")]
    NoLock,
    #[component(name = "insufficient-memory")]
    InsufficientMemory,
    #[component(name = "insufficient-space")]
    InsufficientSpace,
    #[component(name = "not-directory")]
    NotDirectory,
    #[component(name = "not-empty")]
    NotEmpty,
    #[component(name = "not-recoverable")]
    NotRecoverable,
    #[component(name = "unsupported")]
    Unsupported,
    #[component(name = "no-tty")]
    NoTty,
    #[component(name = "no-such-device")]
    NoSuchDevice,
    #[component(name = "overflow")]
    Overflow,
    #[component(name = "not-permitted")]
    NotPermitted,
    #[component(name = "pipe")]
    Pipe,
    #[component(name = "read-only")]
    ReadOnly,
    #[component(name = "invalid-seek")]
    InvalidSeek,
    #[component(name = "text-file-busy")]
    TextFileBusy,
    #[component(name = "cross-device")]
    CrossDevice,
}

impl ErrorCode {
    /// Of a number that the host gave; what is none of them is [`ErrorCode::Io`].
    pub fn new(number: u32) -> ErrorCode {
        if number > ErrorCode::CrossDevice as u32 {
            return ErrorCode::Io;
        }
        // SAFETY: the enum has all numbers up to this one
        unsafe { mem::transmute(number as u8) }
    }
}
