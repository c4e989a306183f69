// Every option of the command, once: parsing and --help are made from these rows.
import { parseCount, parseList, parseOneOf, parseSchedule, parseSeconds, parseSize } from './option-values.js';

/** Everything that options can say; which of it a verb takes, its row tells. */
export interface Options {
  readonly json: boolean;
  readonly debug: boolean;
  readonly cpu?: string;
  readonly smp?: number;
  readonly memory?: number;
  readonly plugin: readonly string[];
  readonly numa?: string;
  readonly mode?: 'real' | 'protected' | 'long';
  readonly load?: number;
  readonly entry?: number;
  readonly append?: string;
  readonly initrd?: string;
  readonly fwCfg: readonly string[];
  readonly quantum?: number;
  readonly schedule?: { readonly random: number } | undefined;
  readonly tlb?: 'coherent' | 'stale';
  readonly maxInstructions?: number;
  readonly timeout?: number;
  readonly serial?: readonly string[];
  readonly exitCode?: 'plain' | 'qemu';
  readonly traceInstructions?: string;
  readonly showCompiled?: string;
  /** False: `--no-compile`. */
  readonly compile?: boolean;
  readonly output?: string;
  readonly from?: number;
  readonly to?: number;
  readonly where?: string;
  readonly at?: number;
  readonly before?: number;
  readonly view?: string;
  readonly processor?: number;
  readonly edit: readonly string[];
  readonly steps?: number;
  readonly family: readonly string[];
  readonly limit?: number;
}

/** An option as it is declared. */
export interface OptionRow {
  readonly flags: string;
  readonly description: string;
  // biome-ignore lint/suspicious/noExplicitAny: commander hands the earlier value of the option to its parser
  readonly parse?: (text: string, earlier: any) => unknown;
}

/** By the name of the value. */
export const OPTIONS = {
  json: { flags: '--json', description: 'print JSON instead of text' },
  debug: { flags: '--debug', description: 'show the stack of an error' },
  cpu: {
    flags: '--cpu <profile>',
    description:
      'processor model, and what it is to lack: intel-server,-x2APIC (default: intel-server; conform: amd-server)',
  },
  smp: { flags: '--smp <n>', description: 'logical processors (default: 1)', parse: parseCount },
  memory: {
    flags: '-m, --memory <size>',
    description: 'RAM, such as 64M or 1G; MiB if no unit is said (default: 128M)',
    parse: parseSize,
  },
  plugin: {
    flags: '--plugin <package>',
    description: 'add a plugin: vmx, svm, a package or the path of a module; may be repeated',
    parse: parseList,
  },
  numa: {
    flags: '--numa <machine|file>',
    description: 'add NUMA timing of a machine, by name or from a description in JSON',
  },
  mode: {
    flags: '--mode <mode>',
    description:
      'mode in which an executable or raw binary is entered: real, protected or long (default: by its content, raw: long)',
    parse: parseOneOf(['real', 'protected', 'long']),
  },
  load: {
    flags: '--load <address>',
    description: 'take an image as a raw binary, at this physical address (default: 0x100000; real mode: 0x7c00)',
    parse: parseCount,
  },
  entry: {
    flags: '--entry <address>',
    description: 'where an image is entered (default: what it says, raw: where it is loaded)',
    parse: parseCount,
  },
  append: { flags: '--append <text>', description: 'command line of the guest, after the name of its file' },
  initrd: {
    flags: '--initrd <files>',
    description: "modules of a multiboot kernel: 'FILE[ ARGUMENTS][,FILE...]', a comma in a name doubled",
  },
  tlb: {
    flags: '--tlb <kind>',
    description: 'stale: translations live until they are invalidated, and a hazard tells (default: coherent)',
    parse: parseOneOf(['coherent', 'stale']),
  },
  quantum: {
    flags: '--quantum <n>',
    description: 'instructions of a processor before the next one has its turn (default: 3000)',
    parse: parseCount,
  },
  schedule: {
    flags: '--schedule <kind>',
    description: 'round-robin, or random:SEED: processors and lengths of their turns are drawn (default: round-robin)',
    parse: parseSchedule,
  },
  fwCfg: {
    flags: '--fw-cfg <name=N,…>',
    description: 'a file of fw_cfg: name=N,file=F or name=N,string=S; may be repeated',
    parse: parseList,
  },
  maxInstructions: {
    flags: '--max-instructions <n>',
    description: 'stop an image after so many instructions',
    parse: parseCount,
  },
  timeout: {
    flags: '--timeout <seconds>',
    description: 'stop an image after so long, with exit status 1',
    parse: parseSeconds,
  },
  serial: {
    flags: '--serial <where>',
    description:
      'stdio, none or file:PATH, once for each serial port; the first one said to be stdio reads stdin too (default: stdout)',
    parse: parseList,
  },
  exitCode: {
    flags: '--exit-code <form>',
    description:
      "exit status of a guest that reports a value: plain (0, or 1 if it is not 0), or qemu's (value << 1) | 1",
    parse: parseOneOf(['plain', 'qemu']),
  },
  traceInstructions: {
    flags: '--trace-instructions <file>',
    description: 'write a line for each instruction with the registers it changed; - is stderr',
  },
  showCompiled: {
    flags: '--show-compiled <address>',
    description: 'print, after the run, what is compiled at an address or symbol: instructions, WebAssembly, positions',
  },
  compile: { flags: '--no-compile', description: 'execute everything on the reference path: same results, slower' },
  output: { flags: '-o, --output <file>', description: 'the trace to write' },
  from: { flags: '--from <position>', description: 'first position (default: 0)', parse: parseCount },
  to: { flags: '--to <position>', description: 'position to stop before (default: the end)', parse: parseCount },
  where: { flags: '--where <expression>', description: 'only events for which it is true (see below)' },
  at: { flags: '--at <position>', description: 'the position', parse: parseCount },
  before: {
    flags: '--before <position>',
    description: 'look before this position (default: the end)',
    parse: parseCount,
  },
  view: {
    flags: '--view <name>',
    description: "a plugin's view instead of the registers: vmx, vmcs, svm, vmcb, numa, topology",
  },
  processor: { flags: '--processor <n>', description: 'registers of this processor alone', parse: parseCount },
  edit: {
    flags: '--edit <location=value>',
    description: 'what is different in the fork; may be repeated',
    parse: parseList,
  },
  steps: {
    flags: '--steps <n>',
    description: 'run so many instructions instead of repeating the recorded events',
    parse: parseCount,
  },
  family: {
    flags: '--family <name>',
    description: 'only the vectors of this family; may be repeated',
    parse: parseList,
  },
  limit: { flags: '--limit <n>', description: 'failures that are shown in full (default: 10)', parse: parseCount },
} as const satisfies Readonly<Record<keyof Options, OptionRow>>;
