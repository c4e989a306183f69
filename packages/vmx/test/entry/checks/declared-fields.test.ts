import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { ENTRY_CHECKS } from '../../../src/entry/checks/entry-checks.js';
import { type EntryState, isControlSet } from '../../../src/entry/entry-state.js';
import { VMCS_FIELDS, type VmcsField } from '../../../src/index.js';
import { PROCESSORS, type ProcessorName } from '../../support/entry-processors.js';
import { BASE_NAMES, type Edit, edited, entryState } from '../../support/entry-states.js';
import { ENTRY_VIOLATIONS } from '../../support/entry-violations.js';

const CHECKS = Object.values(ENTRY_CHECKS).flat();
const OUTSIDE = ['inIa32eMode', 'inSmm', 'isTracing', 'currentVmcs', 'memory'] as const;

/** Notes what is read of a state. */
function recorded(state: EntryState): {
  readonly state: EntryState;
  readonly fields: Set<VmcsField>;
  outside: boolean;
} {
  const fields = new Set<VmcsField>();
  const recorder = { fields, outside: false, state };
  const noted: EntryState = {
    ...state,
    word: (field) => {
      fields.add(field);
      return state.word(field);
    },
    high: (field) => {
      fields.add(field);
      return state.high(field);
    },
    control: (control) => isControlSet(noted, control),
  };
  for (const name of OUTSIDE) {
    Object.defineProperty(noted, name, {
      get: () => {
        recorder.outside = true;
        return state[name];
      },
    });
  }
  recorder.state = noted;
  return recorder;
}

/** Each check that reads what it does not declare, with that. */
function undeclared(state: EntryState): readonly string[] {
  return CHECKS.flatMap((check) => {
    const recorder = recorded(state);
    if (check.appliesWhen(recorder.state)) check.holds(recorder.state);
    const fields = [...recorder.fields].filter((field) => !check.vmcsFields.some(({ name }) => name === field.name));
    const outside = recorder.outside && check.onlyReadsVmcs ? ['what is outside the VMCS'] : [];
    return [...fields.map(({ name }) => name), ...outside].map((read) => `${check.id} reads ${read}`);
  });
}

const put =
  (name: string, value: bigint): Edit =>
  ({ fields }) => {
    Object.assign(fields, { [name]: value });
  };

/** Bits that decide something are rarely met at random: most values differ in few bits from one that passes. */
const edit: fc.Arbitrary<Edit> = fc
  .tuple(
    fc.constantFrom(...VMCS_FIELDS),
    fc.oneof(
      fc.nat(63).map((bit) => 1n << BigInt(bit)),
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    ),
  )
  .map(([{ name, bytes }, mask]) => (state) => {
    const before = state.fields[name] ?? 0n;
    put(name, BigInt.asUintN(bytes * 8, before ^ mask))(state);
  });

const everyControl = put('Secondary processor-based VM-execution controls', 0xffff_ffffn);
const everyTertiary = put('Tertiary processor-based VM-execution controls', 0x1ffn);

const state = fc
  .record({
    base: fc.constantFrom(...BASE_NAMES),
    processor: fc.constantFrom(...(Object.keys(PROCESSORS) as ProcessorName[])),
    controls: fc.boolean(),
    edits: fc.array(edit, { maxLength: 60 }),
    inSmm: fc.boolean(),
    isTracing: fc.boolean(),
    inIa32eMode: fc.boolean(),
  })
  .map(({ base, processor, controls, edits, ...outside }) => {
    const result = edited(base, processor, controls ? [everyControl, everyTertiary, ...edits] : edits);
    return entryState(Object.assign(result, outside));
  });

describe('a check of VM entry', () => {
  it.each(CHECKS)('$id reads only what it declares, in the states of every pair', ({ id }) => {
    const {
      base = 'long',
      processor = 'intel-server',
      given = [],
      violate,
      satisfy = [],
    } = ENTRY_VIOLATIONS[id] ?? {
      violate: [],
    };
    for (const edits of [violate, satisfy]) {
      expect(undeclared(entryState(edited(base, processor, [...given, ...edits])))).toEqual([]);
    }
  });

  test.prop([state], { numRuns: 300 })('reads only what it declares, in any state', (any) => {
    expect(undeclared(any)).toEqual([]);
  });

  test.prop([state], { numRuns: 100 })('names its locations without reading more', (any) => {
    for (const check of CHECKS) {
      const recorder = recorded(any);
      check.fields(recorder.state);
      expect([...recorder.fields].filter((field) => !check.vmcsFields.some(({ name }) => name === field.name))).toEqual(
        [],
      );
    }
  });
});
