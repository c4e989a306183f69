// Loads and stores as closures: the address is computed, the memory asked, the value put into its slot or taken from it.
import type { MemoryPlace } from '../../expression/nodes.js';
import { type LinearMemory, wide } from '../../memory/linear-memory.js';
import { type Access, linearOf } from './address.js';
import { high, low, put, putWide, type Source, type Step } from './source.js';

type AccessWidth = MemoryPlace['width'];
type Load = (words: Int32Array, memory: LinearMemory, access: Access, to: number) => Step;
type LoadBefore = (words: Int32Array, memory: LinearMemory, access: Access, to: number, next: Step) => Step;
type Modify = (words: Int32Array, memory: LinearMemory, access: Access, to: number, address: number) => Step;
type Modification = (
  words: Int32Array,
  memory: LinearMemory,
  access: Access,
  to: number,
  compute: Step,
  result: number,
) => Step;
type Store = (words: Int32Array, memory: LinearMemory, access: Access, value: Source) => Step;

/** Reads memory into a slot. */
export const LOADS: Readonly<Record<AccessWidth, Load>> = {
  8: (words, memory, access, to) => () => {
    const address = linearOf(words, memory, access, false);
    put(words, to, memory.load8(address, wide.high, access.segment));
  },
  16: (words, memory, access, to) => () => {
    const address = linearOf(words, memory, access, false);
    put(words, to, memory.load16(address, wide.high, access.segment));
  },
  32: (words, memory, access, to) => () => {
    const address = linearOf(words, memory, access, false);
    put(words, to, memory.load32(address, wide.high, access.segment));
  },
  64: (words, memory, access, to) => () => {
    const address = linearOf(words, memory, access, false);
    const value = memory.load64(address, wide.high, access.segment);
    putWide(words, to, value, wide.high);
  },
};

/** Reads memory into a slot and goes on with the step that uses it: one call less than a chain of both. */
export const LOADS_BEFORE: Readonly<Record<AccessWidth, LoadBefore>> = {
  8: (words, memory, access, to, next) => () => {
    const address = linearOf(words, memory, access, false);
    put(words, to, memory.load8(address, wide.high, access.segment));
    next();
  },
  16: (words, memory, access, to, next) => () => {
    const address = linearOf(words, memory, access, false);
    put(words, to, memory.load16(address, wide.high, access.segment));
    next();
  },
  32: (words, memory, access, to, next) => () => {
    const address = linearOf(words, memory, access, false);
    put(words, to, memory.load32(address, wide.high, access.segment));
    next();
  },
  64: (words, memory, access, to, next) => () => {
    const address = linearOf(words, memory, access, false);
    const value = memory.load64(address, wide.high, access.segment);
    putWide(words, to, value, wide.high);
    next();
  },
};

/** Reads memory that the same effect writes, and keeps the linear address in another slot for the store. */
export const MODIFIES: Readonly<Record<AccessWidth, Modify>> = {
  8: (words, memory, access, to, address) => () => {
    const linear = linearOf(words, memory, access, true);
    putWide(words, address, linear, wide.high);
    put(words, to, memory.modify8(linear, wide.high, access.segment));
  },
  16: (words, memory, access, to, address) => () => {
    const linear = linearOf(words, memory, access, true);
    putWide(words, address, linear, wide.high);
    put(words, to, memory.modify16(linear, wide.high, access.segment));
  },
  32: (words, memory, access, to, address) => () => {
    const linear = linearOf(words, memory, access, true);
    putWide(words, address, linear, wide.high);
    put(words, to, memory.modify32(linear, wide.high, access.segment));
  },
  64: (words, memory, access, to, address) => () => {
    const linear = linearOf(words, memory, access, true);
    putWide(words, address, linear, wide.high);
    const value = memory.modify64(linear, wide.high, access.segment);
    putWide(words, to, value, wide.high);
  },
};

/** Reads memory into a slot, runs the step that computes with it, and writes the result back. */
export const MODIFICATIONS: Readonly<Record<AccessWidth, Modification>> = {
  8: (words, memory, access, to, compute, result) => () => {
    const linear = linearOf(words, memory, access, true);
    const linearHigh = wide.high;
    put(words, to, memory.modify8(linear, linearHigh, access.segment));
    compute();
    memory.store8(linear, linearHigh, access.segment, words[result] as number);
  },
  16: (words, memory, access, to, compute, result) => () => {
    const linear = linearOf(words, memory, access, true);
    const linearHigh = wide.high;
    put(words, to, memory.modify16(linear, linearHigh, access.segment));
    compute();
    memory.store16(linear, linearHigh, access.segment, words[result] as number);
  },
  32: (words, memory, access, to, compute, result) => () => {
    const linear = linearOf(words, memory, access, true);
    const linearHigh = wide.high;
    put(words, to, memory.modify32(linear, linearHigh, access.segment));
    compute();
    memory.store32(linear, linearHigh, access.segment, words[result] as number);
  },
  64: (words, memory, access, to, compute, result) => () => {
    const linear = linearOf(words, memory, access, true);
    const linearHigh = wide.high;
    const value = memory.modify64(linear, linearHigh, access.segment);
    putWide(words, to, value, wide.high);
    compute();
    memory.store64(linear, linearHigh, access.segment, words[result] as number, words[result + 1] as number);
  },
};

/** Writes a value to memory. */
export const STORES: Readonly<Record<AccessWidth, Store>> = {
  8: (words, memory, access, value) => () => {
    const address = linearOf(words, memory, access, true);
    memory.store8(address, wide.high, access.segment, low(words, value));
  },
  16: (words, memory, access, value) => () => {
    const address = linearOf(words, memory, access, true);
    memory.store16(address, wide.high, access.segment, low(words, value));
  },
  32: (words, memory, access, value) => () => {
    const address = linearOf(words, memory, access, true);
    memory.store32(address, wide.high, access.segment, low(words, value));
  },
  64: (words, memory, access, value) => () => {
    const address = linearOf(words, memory, access, true);
    memory.store64(address, wide.high, access.segment, low(words, value), high(words, value));
  },
};
