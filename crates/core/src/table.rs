//! Handles: tensors named by small integers outside Rust, and the scopes that free them.
//!
//! A handle is 20 bits of index under 11 bits of generation, so it fits a small integer of JavaScript engines. A freed
//! slot waits behind at least 16,384 others, so a stale handle names another tensor only after 33 million frees.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};

use smallvec::SmallVec;

use crate::error::{Result, bail};
use crate::tensor::Tensor;

const INDEX_BITS: u32 = 20;
const GENERATIONS: u32 = 1 << 11;
/// Freed slots that wait before the oldest is used again.
const REST: usize = 1 << 14;

/// What a scope frees, to be dropped when the table is let go of; that of a small step is on the stack.
type Freed = SmallVec<[Tensor; 16]>;

#[derive(Default)]
struct Slot {
    tensor: Option<Tensor>,
    generation: u32,
    kept: bool,
}

/// A stack of scopes.
#[derive(Default)]
struct Lane {
    /// Handles made while a scope is open, oldest first.
    made: Vec<u32>,
    /// Each open scope's number, and where it starts in `made`.
    scopes: Vec<(u32, usize)>,
}

#[derive(Default)]
struct Table {
    slots: Vec<Slot>,
    free: VecDeque<u32>,
    /// The lane of the code that runs, and its number; 0 is that of code outside every other.
    lane: Lane,
    number: u32,
    /// The other lanes, by number.
    parked: HashMap<u32, Lane>,
    scopes_opened: u32,
    live: usize,
    /// The first generation of a slot; see `first_generation`.
    generation: u32,
}

thread_local! {
    static TABLE: RefCell<Table> = RefCell::new(Table { generation: first_generation(), ..Table::default() });
}

/// Slots of different threads start with different generations, so that a handle of one is an error on another, as long as neither
/// has used a slot for hundreds of tensors.
fn first_generation() -> u32 {
    static THREADS: AtomicU32 = AtomicU32::new(0);
    // A step that reaches every generation, far apart from each other for the first threads. Generation 0 is never used, so 0 is no handle.
    (1 + THREADS.fetch_add(1, Ordering::Relaxed).wrapping_mul(773)) % (GENERATIONS - 1) + 1
}

fn stale() -> String {
    "this tensor was freed: by dispose(), or by the end of the scope it was made in; keep it with t.keep() or return it from tidy(). \
     Or it is another thread's: send await x.data() instead"
        .into()
}

impl Table {
    fn slot(&mut self, handle: u32) -> Result<&mut Slot> {
        let index = handle & ((1 << INDEX_BITS) - 1);
        match self.slots.get_mut(index as usize) {
            Some(slot) if slot.generation == handle >> INDEX_BITS && slot.tensor.is_some() => Ok(slot),
            _ => bail!(Disposed, "{}", stale()),
        }
    }

    fn insert(&mut self, tensor: Tensor) -> Result<u32> {
        let index = match self.free.len() > REST {
            true => self.free.pop_front(),
            false => None,
        };
        let index = match index {
            Some(index) => index,
            None if self.slots.len() < 1 << INDEX_BITS => {
                self.slots.push(Slot { generation: self.generation, ..Slot::default() });
                self.slots.len() as u32 - 1
            }
            None => match self.free.pop_front() {
                Some(index) => index,
                None => bail!(Memory, "more than {} tensors are alive; free them with a tensorScope() or tidy()", 1 << INDEX_BITS),
            },
        };
        let slot = &mut self.slots[index as usize];
        slot.tensor = Some(tensor);
        slot.kept = false;
        let handle = slot.generation << INDEX_BITS | index;
        self.live += 1;
        if !self.lane.scopes.is_empty() {
            self.lane.made.push(handle);
        }
        Ok(handle)
    }

    /// The lane with this number, if it is there.
    fn lane_mut(&mut self, number: u32) -> Option<&mut Lane> {
        if number == self.number { Some(&mut self.lane) } else { self.parked.get_mut(&number) }
    }

    /// Lets a lane's code run.
    fn enter(&mut self, number: u32) {
        if number != self.number {
            let lane = self.parked.remove(&number).unwrap_or_default();
            let left = std::mem::replace(&mut self.lane, lane);
            self.parked.insert(self.number, left);
            self.number = number;
        }
    }

    fn new_scope(&mut self) -> u32 {
        self.scopes_opened = self.scopes_opened.wrapping_add(1).max(1);
        self.scopes_opened
    }

    /// Frees the handles of a scope that ended, but what is kept or among `survivors`: they go to the innermost scope of lane `heir`.
    fn release(&mut self, made: &[u32], survivors: &[u32], heir: u32) -> Freed {
        let mut freed = Freed::with_capacity(made.len());
        for &handle in made {
            match self.slot(handle).map(|slot| slot.kept) {
                Ok(false) if survivors.contains(&handle) => {
                    if let Some(lane) = self.lane_mut(heir).filter(|lane| !lane.scopes.is_empty()) {
                        lane.made.push(handle);
                    }
                }
                Ok(false) => freed.extend(self.free(handle)),
                Ok(true) | Err(_) => {}
            }
        }
        freed
    }

    /// Frees a handle; one that is free already stays so.
    fn free(&mut self, handle: u32) -> Option<Tensor> {
        let index = handle & ((1 << INDEX_BITS) - 1);
        let slot = self.slot(handle).ok()?;
        let tensor = slot.tensor.take();
        slot.generation = (slot.generation + 1) % GENERATIONS;
        if slot.generation == 0 {
            slot.generation = 1;
        }
        self.free.push_back(index);
        self.live -= 1;
        tensor
    }
}

/// Gives a tensor a handle; an open scope will free it.
pub fn insert(tensor: Tensor) -> Result<u32> {
    TABLE.with_borrow_mut(|table| table.insert(tensor))
}

pub fn get(handle: u32) -> Result<Tensor> {
    TABLE.with_borrow_mut(|table| match &table.slot(handle)?.tensor {
        Some(tensor) => Ok(tensor.clone()),
        None => bail!(Disposed, "{}", stale()),
    })
}

pub fn free(handles: &[u32]) {
    for &handle in handles {
        // The tensor drops here, after the table is let go of.
        let _freed = TABLE.with_borrow_mut(|table| table.free(handle));
    }
}

pub fn is_live(handle: u32) -> bool {
    TABLE.with_borrow_mut(|table| table.slot(handle).is_ok())
}

/// Handles alive on this thread.
pub fn live_handles() -> usize {
    TABLE.with_borrow(|table| table.live)
}

/// Exempts a tensor from every scope.
pub fn keep(handle: u32) -> Result<()> {
    TABLE.with_borrow_mut(|table| {
        table.slot(handle)?.kept = true;
        Ok(())
    })
}

/// Runs `f` on the tensors of some handles, which it may write.
pub fn with_mut<R>(handles: &[u32], f: impl FnOnce(&mut [Tensor]) -> Result<R>) -> Result<R> {
    /// Puts the tensors back even when `f` unwinds.
    struct Taken<'a>(&'a [u32], Vec<Tensor>);
    impl Drop for Taken<'_> {
        fn drop(&mut self) {
            TABLE.with_borrow_mut(|table| {
                for (&handle, tensor) in self.0.iter().zip(self.1.drain(..)) {
                    table.slots[(handle & ((1 << INDEX_BITS) - 1)) as usize].tensor = Some(tensor);
                }
            });
        }
    }
    let mut taken = Taken(handles, Vec::with_capacity(handles.len()));
    for &handle in handles {
        let tensor = TABLE.with_borrow_mut(|table| Ok(table.slot(handle)?.tensor.take()))?;
        taken.1.extend(tensor);
    }
    f(&mut taken.1)
}

/// Runs `f` on the tensors of some handles, where 0 stands for none. Tensors that `f` puts where there was none get handles, kept
/// out of every scope and written into `handles`.
pub fn with_slots<R>(handles: &mut [u32], f: impl FnOnce(&mut [Option<Tensor>]) -> Result<R>) -> Result<R> {
    let present: Vec<usize> = (0..handles.len()).filter(|&i| handles[i] != 0).collect();
    let named: Vec<u32> = present.iter().map(|&i| handles[i]).collect();
    let mut made = Vec::new();
    let out = with_mut(&named, |tensors| {
        let mut slots = vec![None; handles.len()];
        let mut back = Vec::with_capacity(tensors.len());
        // A stand-in holds each place, so that a tensor has one owner while it is written.
        let blank = crate::create::zeros(&[0], crate::DType::Bool)?;
        for (&at, tensor) in present.iter().zip(tensors.iter_mut()) {
            slots[at] = Some(std::mem::replace(tensor, blank.clone()));
            back.push(at);
        }
        let out = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f(&mut slots)));
        for (tensor, at) in tensors.iter_mut().zip(back) {
            if let Some(written) = slots[at].take() {
                *tensor = written;
            }
        }
        made = slots.into_iter().enumerate().filter_map(|(at, slot)| slot.map(|tensor| (at, tensor))).collect();
        out.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    for (at, tensor) in made {
        handles[at] = insert(tensor)?;
        keep(handles[at])?;
    }
    Ok(out)
}

/// Opens a scope and gives its number.
pub fn scope_begin() -> u32 {
    TABLE.with_borrow_mut(|table| {
        let number = table.new_scope();
        table.lane.scopes.push((number, table.lane.made.len()));
        number
    })
}

/// Closes the innermost scope of its lane: frees what was made in it, but what is kept or among `survivors`, which pass to the scope
/// around. Another than the innermost closes too, with an error: what it made waits for the scope that was opened after it.
pub fn scope_end(scope: u32, survivors: &[u32]) -> Result<()> {
    let freed = TABLE.with_borrow_mut(|table| {
        let holds = |lane: &Lane| lane.scopes.iter().any(|&(number, _)| number == scope);
        let number = match holds(&table.lane) {
            true => Some(table.number),
            false => table.parked.iter().find(|(_, lane)| holds(lane)).map(|(&number, _)| number),
        };
        // A scope that is gone ended with its lane.
        let Some((number, lane)) = number.and_then(|number| Some((number, table.lane_mut(number)?))) else { return Ok(Freed::new()) };
        let Some(at) = lane.scopes.iter().position(|&(number, _)| number == scope) else { return Ok(Freed::new()) };
        let (_, start) = lane.scopes.remove(at);
        if let Some((_, later)) = lane.scopes.get_mut(at) {
            *later = start;
            bail!(
                Memory,
                "scopes end in the reverse order of their start, and this one ended while a later one was open; where async code \
                 overlaps, give each part a tidy(async () => ...) of its own"
            );
        }
        // The lane keeps its room for the next scope.
        let made: SmallVec<[u32; 16]> = lane.made.drain(start..).collect();
        Ok(table.release(&made, survivors, number))
    })?;
    drop(freed);
    Ok(())
}

/// Opens a lane with one scope, lets its code run, and gives its number.
pub fn lane_begin() -> u32 {
    TABLE.with_borrow_mut(|table| {
        let number = table.new_scope();
        table.parked.insert(number, Lane { made: Vec::new(), scopes: vec![(number, 0)] });
        table.enter(number);
        number
    })
}

/// Lets another lane's code run. A handle it made just now, unless 0, moves over from the lane that ran.
pub fn lane_enter(number: u32, handle: u32) {
    TABLE.with_borrow_mut(|table| {
        let made = &mut table.lane.made;
        let moved = made.iter().rposition(|&made| made == handle).map(|at| made.remove(at));
        table.enter(number);
        if handle != 0 && !table.lane.scopes.is_empty() {
            table.lane.made.push(moved.unwrap_or(handle));
        }
    });
}

/// Closes a lane and every scope in it, and lets the code of `heir` run, to which the survivors go.
pub fn lane_end(number: u32, survivors: &[u32], heir: u32) {
    let _freed = TABLE.with_borrow_mut(|table| {
        let made = table.lane_mut(number).map(|lane| std::mem::take(&mut lane.made)).unwrap_or_default();
        table.enter(heir);
        table.parked.remove(&number);
        table.release(&made, survivors, heir)
    });
}
