//! The engine outside of PostgreSQL: the program of reference.c, asked by pipes.

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// 16 bytes, the least significant first; narrower values use the first of them.
pub type Bits = [u8; 16];

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Type {
    I32,
    I64,
    F32,
    F64,
    V128,
    FuncRef,
    ExternRef,
}

impl Type {
    /// Bytes that hold a value.
    pub fn width(self) -> usize {
        match self {
            Type::I32 | Type::F32 => 4,
            Type::I64 | Type::F64 => 8,
            _ => 16,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    Function,
    Global,
    Table,
    Memory,
}

pub struct Export {
    pub kind: Kind,
    pub name: Vec<u8>,
    /// of functions
    pub params: Vec<Type>,
    pub results: Vec<Type>,
}

pub enum Verdict {
    Accepted {
        imports: usize,
        exports: Vec<Export>,
    },
    Refused(String),
}

#[derive(Debug)]
pub enum Ending {
    Values(Vec<Bits>),
    Trap(u32),
    Error(String),
}

#[derive(Debug)]
pub struct Answer {
    pub ending: Ending,
    /// false when there was no instance and none could be made
    pub instantiated: bool,
}

/// The process has ended: the engine has aborted it.
#[derive(Debug)]
pub struct Died;

impl From<io::Error> for Died {
    fn from(_: io::Error) -> Died {
        Died
    }
}

pub struct Engine {
    program: String,
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Engine {
    pub fn start(program: &str) -> io::Result<Engine> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = BufWriter::new(child.stdin.take().expect("stdin is a pipe"));
        let output = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        Ok(Engine {
            program: program.to_string(),
            child,
            input,
            output,
        })
    }

    /// After it has died; tells how.
    pub fn restart(&mut self) -> io::Result<String> {
        let status = self.child.wait()?;
        *self = Engine::start(&self.program)?;
        Ok(status.to_string())
    }

    pub fn module(&mut self, bytes: &[u8]) -> Result<Verdict, Died> {
        self.input.write_all(b"M")?;
        self.put_number(bytes.len())?;
        self.input.write_all(bytes)?;
        self.input.flush()?;
        match self.byte()? {
            b'-' => Ok(Verdict::Refused(self.message()?)),
            b'+' => {
                let imports = self.number()?;
                let exports = (0..self.number()?)
                    .map(|_| self.export())
                    .collect::<Result<Vec<_>, Died>>()?;
                Ok(Verdict::Accepted { imports, exports })
            }
            _ => Err(Died),
        }
    }

    /// Calls the export at that place of the list.
    pub fn call(&mut self, place: usize, args: &[Bits]) -> Result<Answer, Died> {
        self.input.write_all(b"C")?;
        self.put_number(place)?;
        self.put_number(args.len())?;
        for arg in args {
            self.input.write_all(arg)?;
        }
        self.input.flush()?;
        let ending = match self.byte()? {
            b'=' => {
                let count = self.number()?;
                Ending::Values(
                    (0..count)
                        .map(|_| self.bits())
                        .collect::<Result<_, Died>>()?,
                )
            }
            b'!' => Ending::Trap(self.number()? as u32),
            b'?' => Ending::Error(self.message()?),
            _ => return Err(Died),
        };
        let instantiated = self.byte()? == b'c';
        Ok(Answer {
            ending,
            instantiated,
        })
    }

    fn put_number(&mut self, number: usize) -> io::Result<()> {
        self.input.write_all(&(number as u32).to_ne_bytes())
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.output.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn number(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 4];
        self.output.read_exact(&mut bytes)?;
        Ok(u32::from_ne_bytes(bytes) as usize)
    }

    fn bits(&mut self) -> Result<Bits, Died> {
        let mut bits = [0; 16];
        self.output.read_exact(&mut bits)?;
        Ok(bits)
    }

    fn text(&mut self) -> io::Result<Vec<u8>> {
        let mut text = vec![0; self.number()?];
        self.output.read_exact(&mut text)?;
        Ok(text)
    }

    fn message(&mut self) -> io::Result<String> {
        Ok(String::from_utf8_lossy(&self.text()?).into_owned())
    }

    fn export(&mut self) -> Result<Export, Died> {
        let kind = match self.byte()? {
            0 => Kind::Function,
            1 => Kind::Global,
            2 => Kind::Table,
            3 => Kind::Memory,
            _ => return Err(Died),
        };
        let name = self.text()?;
        let (params, results) = match kind {
            Kind::Function => (self.types()?, self.types()?),
            _ => (Vec::new(), Vec::new()),
        };
        Ok(Export {
            kind,
            name,
            params,
            results,
        })
    }

    fn types(&mut self) -> Result<Vec<Type>, Died> {
        self.text()?
            .iter()
            .map(|letter| match letter {
                b'i' => Ok(Type::I32),
                b'I' => Ok(Type::I64),
                b'f' => Ok(Type::F32),
                b'F' => Ok(Type::F64),
                b'v' => Ok(Type::V128),
                b'r' => Ok(Type::FuncRef),
                b'e' => Ok(Type::ExternRef),
                _ => Err(Died),
            })
            .collect()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
