// Memory in generated code: the look-up in the software TLB (memory/tlb.ts) inline, and a branch to the slow path where the
// page is not there, where the access crosses a page, and where somebody watches. The slow path is the whole instruction
// on the reference path, so nothing may be written before all places of an instruction have been found.
import type { AnyMemoryPlace, Expression } from '../expression/nodes.js';
import { TLB_ENTRY, tlbBank } from '../memory/tlb-layout.js';
import { segmentBaseAddress } from './layout.js';
import type { FunctionCode, Label, Local } from './wasm/function-code.js';

/** What finding a place needs of the code around it. */
export interface MemoryScope {
  readonly code: FunctionCode;
  readonly mode64: boolean;
  readonly user: boolean;
  readonly observed: boolean;
  /** Where to go on if the place is not found. */
  readonly slow: Label;
  /** Pushes a value. */
  readonly push: (node: Expression) => void;
}

const ALIGNED_MASK = 15;

/** The address in the hot memory of a memory place, in a local. */
export function findPlace(scope: MemoryScope, place: AnyMemoryPlace, write: boolean): Local {
  const { code, slow } = scope;
  const bytes = place.width / 8;
  const address = linearAddress(scope, place);
  const entry = code.temporary('i32');
  const valid = scope.observed ? TLB_ENTRY.observed : TLB_ENTRY.plain;
  const bank = tlbBank(scope.user, write ? 'write' : 'read');
  if (place.kind === 'vectorMemory' && place.aligned) {
    lowHalf(code, address);
    code.i32(ALIGNED_MASK);
    code.op('i32.and');
    code.brIf(slow);
  }
  // The entry of the page: its number modulo 256, times 16 bytes.
  lowHalf(code, address);
  code.i32(TLB_ENTRY.pageShift - TLB_ENTRY.sizeShift);
  code.op('i32.shr_u');
  code.i32(TLB_ENTRY.mask);
  code.op('i32.and');
  code.tee(entry);
  code.memory('i64.load', bank + TLB_ENTRY.tag);
  // The page of the last byte: the tag of another one if the access crosses.
  code.get(address);
  if (address.type === 'i64') {
    code.i64(BigInt(bytes - 1));
    code.op('i64.add');
    code.i64(BigInt(TLB_ENTRY.pageMask));
    code.op('i64.and');
    code.i64(BigInt(valid));
    code.op('i64.or');
  } else {
    code.i32(bytes - 1);
    code.op('i32.add');
    code.i32(TLB_ENTRY.pageMask);
    code.op('i32.and');
    code.i32(valid);
    code.op('i32.or');
    code.op('i64.extend_i32_u');
  }
  code.op('i64.ne');
  code.brIf(slow);
  code.get(entry);
  code.memory('i32.load', bank + TLB_ENTRY.addend);
  lowHalf(code, address);
  code.op('i32.add');
  code.set(entry);
  return entry;
}

function lowHalf(code: FunctionCode, address: Local): void {
  code.get(address);
  if (address.type === 'i64') code.op('i32.wrap_i64');
}

/** Outside 64-bit mode the segments that generated code uses are flat, and an address has 32 bits. */
function linearAddress({ code, mode64, push }: MemoryScope, { offset, segment }: AnyMemoryPlace): Local {
  const address = code.temporary(mode64 ? 'i64' : 'i32');
  if (mode64) {
    push(offset);
    if (segment === 'FS' || segment === 'GS') {
      code.loadAt('i64.load', segmentBaseAddress(segment));
      code.op('i64.add');
    }
  } else if (offset.kind === 'resize' && offset.operand.width <= 32 && !offset.signed) push(offset.operand);
  else {
    push(offset);
    code.op('i32.wrap_i64');
  }
  code.set(address);
  return address;
}

/** Pushes the value of a place that was found. */
export function loadPlace(code: FunctionCode, { width }: AnyMemoryPlace, found: Local): void {
  code.get(found);
  code.memory(LOADS[width], 0);
}

/** Writes a value to a place that was found. */
export function storePlace(code: FunctionCode, { width }: AnyMemoryPlace, found: Local, value: Local): void {
  code.get(found);
  code.get(value);
  code.memory(STORES[width], 0);
}

const LOADS = {
  8: 'i32.load8_u',
  16: 'i32.load16_u',
  32: 'i32.load',
  64: 'i64.load',
  128: 'v128.load',
} as const;
const STORES = { 8: 'i32.store8', 16: 'i32.store16', 32: 'i32.store', 64: 'i64.store', 128: 'v128.store' } as const;
