// SDM, "x87 FPU Control Instructions": all but those that move the whole state (environment.ts). FENI, FDISI and FSETPM are
// of the 8087 and the 287 and do nothing.

import { NM } from '../../interrupt/exceptions.js';
import { type SdmTitle, sdm } from '../../manual/sdm.js';
import { EXCEPTIONS, STATUS } from '../../x87/status.js';
import { defineInstruction } from '../define.js';
import { operandAt } from '../privilege.js';
import { defineControl, defineNumeric, PENDING, reportedByFerr } from './define.js';
import { initialize, setControl } from './environment.js';
import { stackIndex } from './operands.js';
import { type FloatingPointUnit, setStatus } from './unit.js';

/** Instructions that move TOP or empty a register. */
const STACK_CONTROL = (
  [
    ['FINCSTP', 'FINCSTP—Increment Stack-Top Pointer', (unit) => unit.turn(1)],
    ['FDECSTP', 'FDECSTP—Decrement Stack-Top Pointer', (unit) => unit.turn(-1)],
    ['FFREE', 'FFREE—Free Floating-Point Register', (unit, index) => unit.free(index)],
    [
      'FFREEP', // not in the manual; processors free the register and pop
      'FFREE—Free Floating-Point Register',
      (unit, index) => {
        unit.free(index);
        unit.pop();
      },
    ],
  ] as const satisfies readonly (readonly [string, SdmTitle, (unit: FloatingPointUnit, index: number) => void])[]
).map(([mnemonic, title, change]) =>
  defineNumeric({
    mnemonic,
    manual: sdm(title),
    effect(unit, operands) {
      change(unit, operands.length === 0 ? 0 : (stackIndex(operands, 0) ?? 0));
      unit.settleRounding();
    },
  }),
);

const FNOP = defineNumeric({ mnemonic: 'FNOP', manual: sdm('FNOP—No Operation'), effect: () => {} });

const LEGACY_NO_OPERATIONS = ['FNENI', 'FNDISI', 'FNSETPM'].map((mnemonic) =>
  defineControl({ mnemonic, manual: sdm('FNOP—No Operation'), waits: false, effect: () => {} }),
);

const FNINIT = defineControl({
  mnemonic: 'FNINIT',
  manual: sdm('FINIT/FNINIT—Initialize Floating-Point Unit'),
  waits: false,
  effect: ({ cpu }) => initialize(cpu),
});

const FNCLEX = defineControl({
  mnemonic: 'FNCLEX',
  manual: sdm('FCLEX/FNCLEX—Clear Exceptions'),
  waits: false,
  effect: ({ cpu }) => setStatus(cpu, Number(cpu.read('FSW')) & ~(EXCEPTIONS | STATUS.SF | STATUS.ES | STATUS.B)),
});

const FNSTCW = defineControl({
  mnemonic: 'FNSTCW',
  manual: sdm('FSTCW/FNSTCW—Store x87 FPU Control Word'),
  waits: false,
  effect: ({ cpu }, operands) => operandAt(operands, 0).write(cpu.read('FCW')),
});

const FLDCW = defineControl({
  mnemonic: 'FLDCW',
  manual: sdm('FLDCW—Load x87 FPU Control Word'),
  effect: ({ cpu }, operands) => setControl(cpu, operandAt(operands, 0).read()),
});

const FNSTSW = defineControl({
  mnemonic: 'FNSTSW',
  manual: sdm('FSTSW/FNSTSW—Store x87 FPU Status Word'),
  waits: false,
  effect: ({ cpu }, operands) => operandAt(operands, 0).write(cpu.read('FSW')),
});

/** CR0.MP lets CR0.TS stop WAIT too. */
const WAIT = defineInstruction({
  mnemonic: 'WAIT',
  manual: sdm('WAIT/FWAIT—Wait'),
  reads: ['CR0.MP', 'CR0.TS', 'CR0.NE', 'FSW'],
  writes: [],
  flags: 'unaffected',
  faults: [
    {
      id: 'core.wait.task-switched',
      fields: ['CR0.MP', 'CR0.TS'],
      when: (cpu) => cpu.CR0.MP && cpu.CR0.TS,
      raise: NM,
      explain: 'CR0.TS with CR0.MP stops WAIT: the handler of #NM switches the state of the unit and executes CLTS.',
    },
    PENDING,
  ],
  effect: reportedByFerr,
});

export const X87_CONTROL = [
  ...STACK_CONTROL,
  FNOP,
  ...LEGACY_NO_OPERATIONS,
  FNINIT,
  FNCLEX,
  FNSTCW,
  FLDCW,
  FNSTSW,
  WAIT,
];
