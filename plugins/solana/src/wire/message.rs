use super::instruction::Meta;
use super::{Instruction, Key};

/// The signed part of a transaction, in the first form that there was ("legacy"): who pays, which accounts, what is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// How many of the keys sign; how many of those, and how many of the others, are only read.
    header: [u8; 3],
    /// The first one pays.
    pub(crate) keys: Vec<Key>,
    blockhash: Key,
    steps: Vec<Step>,
}

/// An instruction with places in the list of keys instead of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    program: u8,
    accounts: Vec<u8>,
    data: Vec<u8>,
}

impl Message {
    /// Of a few instructions, valid for as long as nodes know a block by this hash.
    pub(crate) fn new(payer: Key, instructions: &[Instruction], blockhash: Key) -> Self {
        let metas = metas(payer, instructions);
        let number = |of: &dyn Fn(&Meta) -> bool| count(metas.iter().filter(|meta| of(meta)).count());
        let header = [
            number(&|meta| meta.signs),
            number(&|meta| meta.signs && !meta.writable),
            number(&|meta| !meta.signs && !meta.writable),
        ];
        let keys: Vec<Key> = metas.iter().map(|meta| meta.key).collect();
        let place = |key: Key| keys.iter().position(|at| *at == key).map_or(0, count);
        let steps = instructions.iter().map(|instruction| Step {
            program: place(instruction.program),
            accounts: instruction.accounts.iter().map(|meta| place(meta.key)).collect(),
            data: instruction.data.clone(),
        });
        Self { header, blockhash, steps: steps.collect(), keys }
    }

    /// How many signatures it needs.
    pub(crate) fn signers(&self) -> usize {
        self.header[0].into()
    }

    /// What programs are told, in order: the program and its bytes.
    pub(crate) fn told(&self) -> impl Iterator<Item = (Key, &[u8])> {
        self.steps
            .iter()
            .filter_map(|step| Some((*self.keys.get(usize::from(step.program))?, step.data.as_slice())))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.header.to_vec();
        put_length(&mut bytes, self.keys.len());
        self.keys.iter().for_each(|key| bytes.extend(key.0));
        bytes.extend(self.blockhash.0);
        put_length(&mut bytes, self.steps.len());
        for step in &self.steps {
            bytes.push(step.program);
            for part in [&step.accounts, &step.data] {
                put_length(&mut bytes, part.len());
                bytes.extend(part);
            }
        }
        bytes
    }

    /// `None` for bytes that are none, also for those of a later form, which begin with a set bit.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let header = take::<3>(&mut rest)?;
        let keys: Vec<Key> =
            (0..take_length(&mut rest)?).map(|_| take(&mut rest).map(Key)).collect::<Option<_>>()?;
        let blockhash = Key(take(&mut rest)?);
        let steps = (0..take_length(&mut rest)?).map(|_| step(&mut rest)).collect::<Option<_>>()?;
        let is_sound = header[0] & 0x80 == 0 && (1..=keys.len()).contains(&header[0].into());
        (is_sound && rest.is_empty()).then_some(Self { header, keys, blockhash, steps })
    }
}

fn step(rest: &mut &[u8]) -> Option<Step> {
    let [program] = take(rest)?;
    let mut part = || {
        let length = take_length(rest)?;
        rest.split_off(..length).map(<[u8]>::to_vec)
    };
    Some(Step { program, accounts: part()?, data: part()? })
}

/// Each account once, with all that any instruction wants of it: the payer, then those that sign and are changed, that sign, that are changed, the rest.
fn metas(payer: Key, instructions: &[Instruction]) -> Vec<Meta> {
    let payer = Meta { key: payer, signs: true, writable: true };
    let accounts = instructions.iter().flat_map(|instruction| instruction.accounts.iter().copied());
    let programs = instructions.iter().map(|instruction| Meta {
        key: instruction.program,
        signs: false,
        writable: false,
    });
    let mut metas: Vec<Meta> = Vec::new();
    for meta in std::iter::once(payer).chain(accounts).chain(programs) {
        match metas.iter_mut().find(|known| known.key == meta.key) {
            Some(known) => {
                known.signs |= meta.signs;
                known.writable |= meta.writable;
            }
            None => metas.push(meta),
        }
    }
    // Among equals by their bytes, as Solana's own library has it.
    metas.sort_by_key(|meta| (meta.key != payer.key, !meta.signs, !meta.writable, meta.key));
    metas
}

/// A length as Solana writes it: seven bits a byte, the lowest first, in at most three bytes.
pub(super) fn put_length(bytes: &mut Vec<u8>, length: usize) {
    let mut left = length;
    while left > 0x7f {
        bytes.push(count(left & 0x7f) | 0x80);
        left >>= 7;
    }
    bytes.push(count(left));
}

/// `None` too where it could have been written shorter, and beyond 65535.
pub(super) fn take_length(rest: &mut &[u8]) -> Option<usize> {
    let mut length = 0;
    for at in 0..3 {
        let [byte] = take(rest)?;
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return ((byte != 0 || at == 0) && length <= 0xffff).then_some(length);
        }
    }
    None
}

pub(super) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

/// All counts of a transaction fit: it has at most 1232 bytes.
fn count(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}
