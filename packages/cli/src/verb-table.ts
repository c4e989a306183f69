// Every verb of the command: its operands, options and examples, and where its code is. The code is loaded when it is the
// verb that runs: `retrovisor --help` loads no machine.
import type { Options } from './option-table.js';
import type { Output } from './output/output.js';

/**
 * A verb's code: it says its results through `output` and returns the exit status: one of exit-status.ts, or the guest's own
 * with --exit-code qemu.
 */
export type VerbCode = (operands: readonly string[], options: Options, output: Output) => Promise<number>;

/** A verb as it is declared. */
export interface VerbRow {
  /** Operands as commander writes them. */
  readonly operands: string;
  readonly summary: string;
  readonly options: readonly (keyof Options)[];
  readonly examples: readonly string[];
  /** What else --help says. */
  readonly more?: string;
  readonly load: () => Promise<VerbCode>;
}

const MACHINE = [
  'cpu',
  'smp',
  'memory',
  'plugin',
  'numa',
  'mode',
  'load',
  'entry',
  'append',
  'initrd',
  'fwCfg',
  'quantum',
  'schedule',
  'tlb',
  'maxInstructions',
  'timeout',
  'serial',
  'exitCode',
  'traceInstructions',
  'compile',
] as const;
const INPUT_HELP = `
IMAGE   a multiboot kernel (--append, --initrd), an ELF executable, a boot sector of 512 bytes, or a raw binary:
        what it is, its content says; --mode, --load and --entry go before that
SCRIPT  a TypeScript or JavaScript module: export default (machine) => …
        It may also export \`machine\`, the options of createMachine.`;
const COMPILED_HELP = `
ADDRESS of --show-compiled is a linear address, or a symbol of an ELF image. A block that was not executed often
enough is shown as it would be compiled.`;
const LOCATION_HELP = `
A location is a register (RAX, CR4, processor/1/IA32_EFER), a bit of one (CR4.VMXE), physical memory
([0x1000+8]), a name of a plugin (vmcs:Guest RIP) or a path into its state (slice/numa/…).`;
const CONFORM_HELP = `
A vector is a state, an instruction and the state that a processor left. test/conformance/vectors/README.md
describes the form. The exit status is 1 if a vector failed.`;
const WHERE_HELP = `
EXPRESSION is in the Common Expression Language, over these fields of an event:
  position, processor (-1: none), address (RIP, -1: none)     numbers; 0x… is accepted
  event, text, outcome, vector, rule ('' where there is none)  text
  failed                                                       true or false
  hazards                                                      a list of text
such as:  failed && processor == 1    text.contains("CR4")    rule.startsWith("vmx.")`;

/** By name, in the order in which --help lists them. */
export const VERBS: Readonly<Record<string, VerbRow>> = {
  run: {
    operands: '<image|script>',
    summary: 'run a guest image or a script; its console is stdout',
    options: [...MACHINE, 'showCompiled'],
    examples: [
      'retrovisor run examples/walk/walk.ts',
      'retrovisor run examples/walk/walk.bin --mode long --load 0x100000',
    ],
    more: INPUT_HELP + COMPILED_HELP,
    load: async () => (await import('./verb/run.js')).run,
  },
  record: {
    operands: '<image|script>',
    summary: 'the same, recorded as a trace',
    options: ['output', ...MACHINE],
    examples: ['retrovisor record examples/wrong/vmxe-clear.ts -o wrong.rvt'],
    more: INPUT_HELP,
    load: async () => (await import('./verb/record.js')).record,
  },
  replay: {
    operands: '<trace>',
    summary: 'execute a trace again and verify every digest in it',
    options: ['compile', 'plugin'],
    examples: ['retrovisor replay walk.rvt'],
    load: async () => (await import('./verb/replay.js')).replay,
  },
  info: {
    operands: '<trace>',
    summary: 'what a trace holds: machine, length, plugins, events by kind, damage',
    options: [],
    examples: ['retrovisor info walk.rvt'],
    load: async () => (await import('./verb/info.js')).info,
  },
  events: {
    operands: '<trace>',
    summary: 'the events, each instruction with its outcome',
    options: ['from', 'to', 'where', 'plugin'],
    examples: [
      'retrovisor events walk.rvt --from 10 --to 20',
      `retrovisor events walk.rvt --where 'failed || text.contains("vmxon")' --json`,
    ],
    more: WHERE_HELP,
    load: async () => (await import('./verb/events.js')).events,
  },
  show: {
    operands: '<trace>',
    summary: 'the state at a position: registers, or a view of a plugin',
    options: ['at', 'view', 'processor', 'plugin'],
    examples: ['retrovisor show walk.rvt --at 12', 'retrovisor show walk.rvt --at 12 --view vmcs'],
    load: async () => (await import('./verb/show.js')).show,
  },
  diff: {
    operands: '<trace> <a> [b]',
    summary: 'what differs between two positions, or where two traces part',
    options: ['plugin'],
    examples: ['retrovisor diff walk.rvt 3 4', 'retrovisor diff walk.rvt wrong.rvt'],
    load: async () => (await import('./verb/diff.js')).diff,
  },
  why: {
    operands: '<trace>',
    summary: 'why a step failed: violated rules, the values they read, and who wrote those',
    options: ['at', 'plugin'],
    examples: ['retrovisor why wrong.rvt', 'retrovisor why wrong.rvt --at 7'],
    load: async () => (await import('./verb/why.js')).why,
  },
  who: {
    operands: '<trace> <location>',
    summary: 'the event that last wrote a location',
    options: ['before', 'plugin'],
    examples: ['retrovisor who wrong.rvt CR4.VMXE', "retrovisor who walk.rvt 'vmcs:Guest RIP' --before 12"],
    more: LOCATION_HELP,
    load: async () => (await import('./verb/who.js')).who,
  },
  fork: {
    operands: '<trace>',
    summary: 'what if: change a state and see how the rest of the trace comes out',
    options: ['at', 'edit', 'steps', 'output', 'plugin'],
    examples: ['retrovisor fork wrong.rvt --at 7 --edit CR4.VMXE=1 -o right.rvt'],
    more: LOCATION_HELP,
    load: async () => (await import('./verb/fork.js')).fork,
  },
  conform: {
    operands: '<folder>',
    summary: 'run recorded instruction vectors: every *.jsonl.gz of a folder, a family each',
    options: ['cpu', 'family', 'limit'],
    examples: [
      'retrovisor conform test/conformance/vectors',
      'retrovisor conform test/conformance/vectors --family shift --family string --limit 3',
    ],
    more: CONFORM_HELP,
    load: async () => (await import('./verb/conform.js')).conform,
  },
  tour: {
    operands: '',
    summary: 'a guided tour: VMX switched on step by step, then a mistake and who is to blame for it',
    options: [],
    examples: ['retrovisor tour'],
    load: async () => (await import('./verb/tour.js')).tour,
  },
};
