//! Components, for C.  `component.h` of the extension declares what is here.
//!
//! The engine's own C API makes a tree of values of each argument and result.
//! Here C code reads and writes the canonical ABI itself, in the guest's memory:
//! a call passes through [`Arguments`] and [`Outcome`], types that claim to be
//! of whatever type the function has, and hand the work to C.  In the same way
//! [`Flat`] and [`Returned`] let a component call functions of the host that are
//! written for core modules.
//!
//! What C calls here must not unwind, and what is called there does not.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};
use std::mem::{MaybeUninit, size_of};
use std::{ptr, slice};

use wasmtime::component::__internal::{
    CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext, LowerContext, wasmtime_environ,
};
use wasmtime::component::{
    Component, ComponentNamedList, ComponentType, Func, Instance, InstancePre, Lift, Linker, Lower,
    ResourceType, TypedFunc,
};
use wasmtime::{Config, Engine, Error, ResourceLimiter, Result, Store, Trap, ValRaw, bail};
use wasmtime_c_api::{
    WasmtimeStoreContextMut, WasmtimeStoreData, wasm_byte_vec_t, wasm_config_t, wasm_engine_t,
    wasmtime_error_t, wasmtime_store_t,
};
use wasmtime_environ::component::{
    CanonicalOptions, CanonicalOptionsDataModel, MAX_FLAT_PARAMS, StringEncoding,
};

use crate::describe::describe;
use crate::host::Host;
use crate::wasi;

type Failure = Option<Box<wasmtime_error_t>>;
type Lowering<'a> = LowerContext<'a, WasmtimeStoreData>;

/// A component whose imports are provided for.
pub struct PgwComponent {
    component: Component,
    linked: Option<InstancePre<WasmtimeStoreData>>,
}

/// Calls a function of the host that takes flat values, the last of which is the
/// address of the result where that is not flat itself.  Null: it has thrown, and
/// the guest's call is to end.
type Run = extern "C" fn(*const c_void, &mut Lowering<'_>, *mut ValRaw, usize) -> bool;

/// What the host offers.
#[repr(C)]
pub struct PgwComponentHost {
    /// The function that an import denotes, or null.
    find: extern "C" fn(*const u8, usize, *const u8, usize) -> *const c_void,
    run: Run,
    /// Drops a resource of the host, by the function "[resource-drop]name".
    drop: extern "C" fn(*const c_void, WasmtimeStoreContextMut<'_>, u32) -> bool,
    wasi: Host,
}

/// A pointer of C's, which is used by one thread only
#[derive(Clone, Copy)]
struct Opaque(*const c_void);
unsafe impl Send for Opaque {}
unsafe impl Sync for Opaque {}

impl Opaque {
    fn pointer(self) -> *const c_void {
        self.0
    }
}

fn outcome(result: Result<()>) -> Failure {
    result
        .err()
        .map(|error| Box::new(wasmtime_error_t::from(error)))
}

fn passed(failure: Failure) -> Result<()> {
    failure.map_or(Ok(()), |error| Err(Error::from(*error)))
}

/// The C API's types of an engine and of an error have one field each.
fn engine_of(engine: &wasm_engine_t) -> &Engine {
    const { assert!(size_of::<wasm_engine_t>() == size_of::<Engine>()) };
    unsafe { &*ptr::from_ref(engine).cast() }
}

fn error_of(error: &wasmtime_error_t) -> &Error {
    const { assert!(size_of::<wasmtime_error_t>() == size_of::<Error>()) };
    unsafe { &*ptr::from_ref(error).cast() }
}

#[unsafe(no_mangle)]
pub extern "C" fn pgw_error_trap_code(error: &wasmtime_error_t, code: &mut u8) -> bool {
    match error_of(error).downcast_ref::<Trap>() {
        Some(trap) => {
            *code = *trap as u8;
            true
        }
        None => false,
    }
}

/// Switches on what the C API cannot: maps.
#[unsafe(no_mangle)]
pub extern "C" fn pgw_component_configure(config: &mut wasm_config_t) {
    const { assert!(size_of::<wasm_config_t>() == size_of::<Config>()) };
    let config: &mut Config = unsafe { &mut *ptr::from_mut(config).cast() };
    config.wasm_component_model_map(true);
}

// --- compiled components ---

#[cfg(feature = "compiler")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pgw_component_compile(
    engine: &wasm_engine_t,
    bytes: *const u8,
    length: usize,
    artifact: &mut MaybeUninit<wasm_byte_vec_t>,
) -> Failure {
    let bytes = unsafe { slice::from_raw_parts(bytes, length) };
    outcome(
        Component::from_binary(engine_of(engine), bytes)
            .and_then(|component| component.serialize())
            .map(|serialized| {
                artifact.write(serialized.into());
            }),
    )
}

/// As the engine does it for modules: what is valid may still fail to compile.
#[cfg(feature = "compiler")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pgw_component_validate(
    engine: &wasm_engine_t,
    bytes: *const u8,
    length: usize,
) -> Failure {
    let bytes = unsafe { slice::from_raw_parts(bytes, length) };
    outcome(Component::from_binary(engine_of(engine), bytes).map(|_| ()))
}

fn opened(component: Result<Component>, result: &mut MaybeUninit<*mut PgwComponent>) -> Failure {
    outcome(component.map(|component| {
        let opened = Box::new(PgwComponent {
            component,
            linked: None,
        });
        result.write(Box::into_raw(opened));
    }))
}

/// The bytes must come from `pgw_component_compile()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pgw_component_deserialize(
    engine: &wasm_engine_t,
    bytes: *const u8,
    length: usize,
    result: &mut MaybeUninit<*mut PgwComponent>,
) -> Failure {
    let bytes = unsafe { slice::from_raw_parts(bytes, length) };
    opened(
        unsafe { Component::deserialize(engine_of(engine), bytes) },
        result,
    )
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn pgw_component_deserialize_file(
    engine: &wasm_engine_t,
    path: *const c_char,
    result: &mut MaybeUninit<*mut PgwComponent>,
) -> Failure {
    let path = unsafe { CStr::from_ptr(path) };
    let component = match path.to_str() {
        Ok(path) => unsafe { Component::deserialize_file(engine_of(engine), path) },
        Err(error) => Err(error.into()),
    };
    opened(component, result)
}

#[unsafe(no_mangle)]
pub extern "C" fn pgw_component_delete(_: Box<PgwComponent>) {}

#[unsafe(no_mangle)]
pub extern "C" fn pgw_component_describe(
    component: &PgwComponent,
    description: &mut MaybeUninit<wasm_byte_vec_t>,
) -> bool {
    match describe(&component.component) {
        Some(bytes) => {
            description.write(bytes.into());
            true
        }
        None => false,
    }
}

// --- functions of the host ---

/// How many values a list of types takes on the stack of a core module; None: they
/// are in memory.
fn flat_count(ty: &InterfaceType, types: &InstanceType<'_>) -> Option<usize> {
    types.types.canonical_abi(ty).flat_count(MAX_FLAT_PARAMS)
}

/// The arguments of a function of the host: N values as the guest gave them, with
/// resources replaced by what stands for them in the host.
#[derive(Clone, Copy)]
struct Flat<const N: usize>([ValRaw; N]);

unsafe impl<const N: usize> ComponentType for Flat<N> {
    type Lower = [ValRaw; N];
    const ABI: CanonicalAbiInfo = CanonicalAbiInfo::ZERO;
    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        if flat_count(ty, types).unwrap_or(1) != N {
            bail!("the function has another number of parameters");
        }
        Ok(())
    }
}

unsafe impl<const N: usize> ComponentNamedList for Flat<N> {}

unsafe impl<const N: usize> Lift for Flat<N> {
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        source: &[ValRaw; N],
    ) -> Result<Self> {
        let InterfaceType::Tuple(params) = ty else {
            bail!("a function has no list of parameters");
        };
        let types = cx.types.clone();
        let mut values = *source;
        let mut at = 0;
        for ty in types[params].types.iter() {
            match *ty {
                InterfaceType::Own(table) => {
                    let (rep, ..) = cx.guest_resource_lift_own(table, values[at].get_u32())?;
                    values[at] = ValRaw::u32(rep);
                }
                InterfaceType::Borrow(table) => {
                    let rep = cx.guest_resource_lift_borrow(table, values[at].get_u32())?;
                    values[at] = ValRaw::u32(rep);
                }
                _ => {}
            }
            at += types
                .canonical_abi(ty)
                .flat_count(MAX_FLAT_PARAMS)
                .unwrap_or(0);
        }
        Ok(Flat(values))
    }

    fn linear_lift_from_memory(
        cx: &mut LiftContext<'_>,
        _: InterfaceType,
        bytes: &[u8],
    ) -> Result<Self> {
        let address = bytes.as_ptr() as usize - cx.memory().as_ptr() as usize;
        Ok(Flat([ValRaw::u32(u32::try_from(address)?); N]))
    }
}

/// What a function of the host returns, R values: it is called when there is a
/// place for that.
struct Returned<const R: usize> {
    run: Run,
    function: Opaque,
    values: [ValRaw; MAX_FLAT_PARAMS + 1],
    count: usize,
}

impl<const R: usize> Returned<R> {
    fn run(&self, cx: &mut Lowering<'_>, address: Option<u32>) -> Result<ValRaw> {
        let mut values = self.values;
        let mut count = self.count;
        if let Some(address) = address {
            values[count] = ValRaw::u32(address);
            count += 1;
        }
        if !(self.run)(self.function.pointer(), cx, values.as_mut_ptr(), count) {
            bail!("ended by the host");
        }
        Ok(values[0])
    }
}

/// All stores have data of the C API's type.
fn as_lowering<'a, 'b, T>(cx: &'a mut LowerContext<'b, T>) -> &'a mut Lowering<'b> {
    unsafe { &mut *ptr::from_mut(cx).cast() }
}

unsafe impl<const R: usize> ComponentType for Returned<R> {
    type Lower = [ValRaw; R];
    const ABI: CanonicalAbiInfo = CanonicalAbiInfo::ZERO;
    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        match flat_count(ty, types) {
            Some(count) if count <= 1 && count != R => bail!("the function has another result"),
            _ => Ok(()),
        }
    }
}

unsafe impl<const R: usize> ComponentNamedList for Returned<R> {}

unsafe impl<const R: usize> Lower for Returned<R> {
    fn linear_lower_to_flat<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        target: &mut MaybeUninit<[ValRaw; R]>,
    ) -> Result<()> {
        let mut value = self.run(as_lowering(cx), None)?;
        if let InterfaceType::Tuple(results) = ty
            && let Some(InterfaceType::Own(table)) = cx.types[results].types.first()
        {
            value = ValRaw::u32(cx.guest_resource_lower_own(*table, value.get_u32())?);
        }
        target.write([value; R]);
        Ok(())
    }

    fn linear_lower_to_memory<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        _: InterfaceType,
        offset: usize,
    ) -> Result<()> {
        self.run(as_lowering(cx), Some(u32::try_from(offset)?))?;
        Ok(())
    }
}

fn define<const N: usize>(
    instance: &mut wasmtime::component::LinkerInstance<'_, WasmtimeStoreData>,
    name: &str,
    run: Run,
    function: Opaque,
    has_flat_result: bool,
) -> Result<()> {
    fn returned<const N: usize, const R: usize>(
        run: Run,
        function: Opaque,
        Flat(given): Flat<N>,
    ) -> Result<Returned<R>> {
        let mut values = [ValRaw::u64(0); MAX_FLAT_PARAMS + 1];
        values[..N].copy_from_slice(&given);
        Ok(Returned {
            run,
            function,
            values,
            count: N,
        })
    }
    if has_flat_result {
        instance.func_wrap(name, move |_, given: Flat<N>| {
            returned::<N, 1>(run, function, given)
        })
    } else {
        instance.func_wrap(name, move |_, given: Flat<N>| {
            returned::<N, 0>(run, function, given)
        })
    }
}

/// Defines a function of the host with the type that the component gives it: C has
/// looked whether that is the right one.
fn define_function(
    instance: &mut wasmtime::component::LinkerInstance<'_, WasmtimeStoreData>,
    name: &str,
    ty: &wasmtime::component::types::ComponentFunc,
    run: Run,
    function: Opaque,
) -> Result<()> {
    let count = crate::describe::flat_count(ty.params().map(|(_, ty)| ty));
    let has_flat_result = crate::describe::flat_count(ty.results()) == 1;
    macro_rules! by_count {
        ($($n:literal)*) => {
            match if count > MAX_FLAT_PARAMS { 1 } else { count } {
                $($n => define::<$n>(instance, name, run, function, has_flat_result),)*
                _ => bail!("the function has too many parameters"),
            }
        };
    }
    by_count!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
}

/// Defines what the component imports of the host, beside WASI.
fn define_host(
    linker: &mut Linker<WasmtimeStoreData>,
    component: &Component,
    host: &'static PgwComponentHost,
) -> Result<()> {
    use wasmtime::component::types::ComponentItem;

    let engine = component.engine();
    let ty = component.component_type();
    for (from, import) in ty.imports(engine) {
        let ComponentItem::ComponentInstance(imported) = import.ty else {
            continue;
        };
        if wasi::is_wasi(from) {
            continue;
        }
        let mut instance = linker.instance(from)?;
        for (name, export) in imported.exports(engine) {
            match export.ty {
                ComponentItem::ComponentFunc(ty) => {
                    let function =
                        (host.find)(from.as_ptr(), from.len(), name.as_ptr(), name.len());
                    if !function.is_null() {
                        define_function(&mut instance, name, &ty, host.run, Opaque(function))?;
                    }
                }
                ComponentItem::Resource(_) => {
                    let drop = format!("[resource-drop]{name}");
                    let function =
                        (host.find)(from.as_ptr(), from.len(), drop.as_ptr(), drop.len());
                    let function = Opaque(function);
                    let ty = ResourceType::host::<PgwComponentHost>();
                    instance.resource(name, ty, move |store, rep| {
                        let function = function.pointer();
                        if !function.is_null() && !(host.drop)(function, store, rep) {
                            bail!("ended by the host");
                        }
                        Ok(())
                    })?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Provides for the imports of a component; fails where nobody does.
#[unsafe(no_mangle)]
pub extern "C" fn pgw_component_link(
    component: &mut PgwComponent,
    host: &'static PgwComponentHost,
) -> Failure {
    let compiled = &component.component;
    let mut linker = Linker::new(compiled.engine());
    let linked = wasi::add_to_linker(&mut linker, compiled, &host.wasi)
        .and_then(|()| define_host(&mut linker, compiled, host))
        .and_then(|()| linker.instantiate_pre(compiled));
    outcome(linked.map(|linked| component.linked = Some(linked)))
}

// --- limits ---

/// As PgwGrowth in C has them
#[repr(C)]
#[derive(Clone, Copy, PartialEq)]
pub enum Growth {
    Allowed,
    BeyondInstance,
    BeyondSession,
}

/// Counts what a store makes; C is asked about memory.
struct Limiter {
    instances: usize,
    table_elements: usize,
    grow: extern "C" fn(*mut c_void, usize) -> Growth,
    data: Opaque,
}

// A growth that is allowed, and then fails for want of the system's memory, stays
// counted.
impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        match (self.grow)(self.data.pointer().cast_mut(), desired - current) {
            Growth::Allowed => Ok(true),
            // where nobody would say why
            Growth::BeyondSession if current == 0 => bail!(
                "the instances of this session would have more memory than wasm.session_memory_limit"
            ),
            Growth::BeyondInstance if current == 0 => {
                bail!("the memory of the instance exceeds memory limits")
            }
            _ => Ok(false),
        }
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(desired <= self.table_elements)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        self.instances
    }
}

/// The store's own, and gone with it
struct OwnedLimiter(*mut Limiter);
unsafe impl Send for OwnedLimiter {}
unsafe impl Sync for OwnedLimiter {}

impl OwnedLimiter {
    fn get(&mut self) -> &'static mut Limiter {
        unsafe { &mut *self.0 }
    }
}

impl Drop for OwnedLimiter {
    fn drop(&mut self) {
        drop(unsafe { Box::from_raw(self.0) });
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn pgw_component_limit(
    store: &mut wasmtime_store_t,
    instances: usize,
    table_elements: usize,
    grow: extern "C" fn(*mut c_void, usize) -> Growth,
    data: *mut c_void,
) {
    const { assert!(size_of::<wasmtime_store_t>() == size_of::<Store<WasmtimeStoreData>>()) };
    let store: &mut Store<WasmtimeStoreData> = unsafe { &mut *ptr::from_mut(store).cast() };
    let limiter = Limiter {
        instances,
        table_elements,
        grow,
        data: Opaque(data),
    };
    let mut owned = OwnedLimiter(Box::into_raw(Box::new(limiter)));
    store.limiter(move |_| owned.get());
}

// --- instances and functions ---

/// Room in C for a value of the engine's that can be copied
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PgwHandle([u64; 4]);

impl PgwHandle {
    fn new<T: Copy>(value: T) -> PgwHandle {
        const { assert!(size_of::<T>() <= size_of::<PgwHandle>()) };
        let mut handle = PgwHandle([0; 4]);
        unsafe { ptr::from_mut(&mut handle).cast::<T>().write(value) };
        handle
    }

    /// T must be what it was made of.
    unsafe fn get<T: Copy>(&self) -> T {
        const { assert!(size_of::<T>() <= size_of::<PgwHandle>()) };
        unsafe { ptr::from_ref(self).cast::<T>().read() }
    }
}

/// After `pgw_component_link()`.
#[unsafe(no_mangle)]
pub extern "C" fn pgw_component_instantiate(
    mut store: WasmtimeStoreContextMut<'_>,
    component: &PgwComponent,
    result: &mut MaybeUninit<PgwHandle>,
) -> Failure {
    /* the limits on a guest's memory bound what it can make the host copy */
    store.set_hostcall_fuel(usize::MAX);
    let instance = match &component.linked {
        Some(linked) => linked.instantiate(store),
        None => Err(Error::msg("the component is not linked")),
    };
    outcome(instance.map(|instance| {
        result.write(PgwHandle::new(instance));
    }))
}

/// Finds a function that the component exports, in an instance where `from` is not
/// empty.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pgw_component_function(
    mut store: WasmtimeStoreContextMut<'_>,
    instance: &PgwHandle,
    from: *const u8,
    from_length: usize,
    name: *const u8,
    name_length: usize,
    result: &mut MaybeUninit<PgwHandle>,
) -> bool {
    let text = |at, length| str::from_utf8(unsafe { slice::from_raw_parts(at, length) });
    let (Ok(from), Ok(name)) = (text(from, from_length), text(name, name_length)) else {
        return false;
    };
    let instance: Instance = unsafe { instance.get() };
    let within = match from {
        "" => None,
        _ => match instance.get_export_index(&mut store, None, from) {
            None => return false,
            found => found,
        },
    };
    let Some(index) = instance.get_export_index(&mut store, within.as_ref(), name) else {
        return false;
    };
    let Some(function) = instance.get_func(&mut store, index) else {
        return false;
    };
    result.write(PgwHandle::new(function));
    true
}

/// Writes the arguments of a call; null: flat values are there.
type LowerArguments = Option<extern "C" fn(*mut c_void, &mut Lowering<'_>, *mut ValRaw) -> Failure>;

/// Reads the result of a call; null: the flat value is enough.
type LiftResult =
    Option<extern "C" fn(*mut c_void, &mut LiftContext<'_>, *const ValRaw) -> Failure>;

struct Arguments {
    slots: *mut ValRaw,
    lower: LowerArguments,
    data: *mut c_void,
}

unsafe impl Send for Arguments {}
unsafe impl Sync for Arguments {}

unsafe impl ComponentType for Arguments {
    type Lower = [ValRaw; MAX_FLAT_PARAMS];
    const ABI: CanonicalAbiInfo = CanonicalAbiInfo::ZERO;
    fn typecheck(_: &InterfaceType, _: &InstanceType<'_>) -> Result<()> {
        Ok(())
    }
}

unsafe impl ComponentNamedList for Arguments {}

unsafe impl Lower for Arguments {
    fn linear_lower_to_flat<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        _: InterfaceType,
        target: &mut MaybeUninit<[ValRaw; MAX_FLAT_PARAMS]>,
    ) -> Result<()> {
        if let Some(lower) = self.lower {
            passed(lower(self.data, as_lowering(cx), self.slots))?;
        }
        unsafe {
            ptr::copy_nonoverlapping(self.slots, target.as_mut_ptr().cast(), MAX_FLAT_PARAMS)
        };
        Ok(())
    }

    fn linear_lower_to_memory<T>(
        &self,
        _: &mut LowerContext<'_, T>,
        _: InterfaceType,
        _: usize,
    ) -> Result<()> {
        unreachable!("arguments are flat, or the address of what C has written")
    }
}

/// Who reads the result of the call in progress: a value of the type [`Outcome`] is
/// made of nothing else than what the guest returned.
#[derive(Clone, Copy)]
struct Reader {
    lift: LiftResult,
    data: *mut c_void,
}

thread_local! {
    static READER: Cell<Reader> = const { Cell::new(Reader { lift: None, data: ptr::null_mut() }) };
}

struct Outcome(ValRaw);

unsafe impl ComponentType for Outcome {
    type Lower = ValRaw;
    const ABI: CanonicalAbiInfo = CanonicalAbiInfo::ZERO;
    fn typecheck(_: &InterfaceType, _: &InstanceType<'_>) -> Result<()> {
        Ok(())
    }
}

unsafe impl ComponentNamedList for Outcome {}

unsafe impl Lift for Outcome {
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        _: InterfaceType,
        source: &ValRaw,
    ) -> Result<Self> {
        let reader = READER.get();
        if let Some(lift) = reader.lift {
            passed(lift(reader.data, cx, source))?;
        }
        Ok(Outcome(*source))
    }

    fn linear_lift_from_memory(
        _: &mut LiftContext<'_>,
        _: InterfaceType,
        _: &[u8],
    ) -> Result<Self> {
        unreachable!("a result is flat, or the address of what C reads")
    }
}

/// Calls a function.  `slots` has room for 16 values: the flat arguments, or what
/// `lower` makes of them, and afterwards the flat result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pgw_component_call(
    store: WasmtimeStoreContextMut<'_>,
    function: &PgwHandle,
    slots: *mut ValRaw,
    lower: LowerArguments,
    lift: LiftResult,
    data: *mut c_void,
) -> Failure {
    let function: Func = unsafe { function.get() };
    let function: TypedFunc<Arguments, Outcome> = unsafe { TypedFunc::new_unchecked(function) };
    let outer = READER.replace(Reader { lift, data });
    let result = function.call(store, Arguments { slots, lower, data });
    READER.set(outer);
    outcome(result.map(|Outcome(value)| unsafe { slots.write(value) }))
}

// --- the guest's memory, while values are written and read ---

/// Bytes of the guest, until it runs again; and is a string there in UTF-8?
#[repr(C)]
pub struct PgwGuestMemory {
    bytes: *mut u8,
    size: usize,
    is_utf8: bool,
}

impl PgwGuestMemory {
    /// Of the memory that the options name, if they do
    fn new(options: &CanonicalOptions, bytes: impl FnOnce() -> *mut [u8]) -> PgwGuestMemory {
        let bytes: *mut [u8] = match options.memory() {
            Some(_) => bytes(),
            None => ptr::slice_from_raw_parts_mut(ptr::null_mut(), 0),
        };
        PgwGuestMemory {
            bytes: bytes.cast(),
            size: bytes.len(),
            is_utf8: options.string_encoding == StringEncoding::Utf8,
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn pgw_lower_memory(
    cx: &mut Lowering<'_>,
    memory: &mut MaybeUninit<PgwGuestMemory>,
) {
    let options = ptr::from_ref(cx.options());
    // SAFETY: the options are the component's, and not part of its memory
    let options = unsafe { &*options };
    memory.write(PgwGuestMemory::new(options, || cx.as_slice_mut()));
}

/// A guest need not say how to allocate, where the type that it gives a function of the
/// host has no strings and no lists.
fn allocate(cx: &mut Lowering<'_>, alignment: u32, size: usize) -> Result<usize> {
    match cx.options().data_model {
        CanonicalOptionsDataModel::LinearMemory(memory) if memory.realloc.is_some() => {
            cx.realloc(0, 0, alignment, size)
        }
        _ => bail!("the guest has no function to allocate memory"),
    }
}

/// Lets the guest allocate memory, which is in bounds and aligned.
#[unsafe(no_mangle)]
pub extern "C" fn pgw_lower_alloc(
    cx: &mut Lowering<'_>,
    alignment: u32,
    size: usize,
    address: &mut u32,
) -> Failure {
    outcome(allocate(cx, alignment, size).map(|at| *address = at as u32))
}

/// Writes a string, which must be UTF-8, in the guest's own encoding: address and
/// length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pgw_lower_string(
    cx: &mut Lowering<'_>,
    text: *const u8,
    length: usize,
    pair: &mut [u32; 2],
) -> Failure {
    let text = unsafe { str::from_utf8_unchecked(slice::from_raw_parts(text, length)) };
    let mut flat = MaybeUninit::<[ValRaw; 2]>::uninit();
    outcome(
        text.linear_lower_to_flat(cx, InterfaceType::String, &mut flat)
            .map(|()| {
                let flat = unsafe { flat.assume_init() };
                *pair = [flat[0].get_u32(), flat[1].get_u32()];
            }),
    )
}

/// The store in which a function of the host was called.
#[unsafe(no_mangle)]
pub extern "C" fn pgw_lower_store<'a>(cx: &'a mut Lowering<'_>) -> WasmtimeStoreContextMut<'a> {
    use wasmtime::AsContextMut;
    cx.store.as_context_mut()
}

#[unsafe(no_mangle)]
pub extern "C" fn pgw_lift_memory(
    cx: &mut LiftContext<'_>,
    memory: &mut MaybeUninit<PgwGuestMemory>,
) {
    let bytes = || ptr::from_ref(cx.memory()).cast_mut();
    memory.write(PgwGuestMemory::new(cx.options(), bytes));
}

/// Reads a string from the guest's own encoding.
#[unsafe(no_mangle)]
pub extern "C" fn pgw_lift_string(
    cx: &mut LiftContext<'_>,
    address: u32,
    length: u32,
    text: &mut MaybeUninit<wasm_byte_vec_t>,
) -> Failure {
    let flat = [ValRaw::u32(address), ValRaw::u32(length)];
    outcome(
        String::linear_lift_from_flat(cx, InterfaceType::String, &flat).map(|found| {
            text.write(found.into_bytes().into());
        }),
    )
}
