// `retrovisor tour`: what somebody sees first. VMX is switched on step by step and recorded; then a script makes a mistake
// that hardware would answer with a bare #UD, and the trace tells which instruction was to blame.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type Explanation, isFailure, type Machine, type Step } from '@retrovisor/core';
import { recordToFile } from '@retrovisor/core/node';
import { examplesFolder } from '../examples-folder.js';
import { EXIT } from '../exit-status.js';
import { openGuest } from '../guest/guest.js';
import { runGuest, type Session } from '../guest/session.js';
import type { Colours } from '../output/colour.js';
import { explanationDocument, explanationText } from '../output/explanation.js';
import { command } from '../output/next.js';
import type { Output } from '../output/output.js';
import { StepList, stepDocument } from '../output/step-list.js';
import { indented, table } from '../output/table.js';
import type { VerbCode } from '../verb-table.js';

/** A script that was recorded. */
interface Recorded {
  readonly script: string;
  readonly trace: string;
  readonly machine: Machine;
  readonly session: Session;
}

/** Takes the tour. Its traces stay, so that the commands it ends with work. */
export const tour: VerbCode = async (_operands, _options, output) => {
  const [examples, traces] = [examplesFolder(), mkdtempSync(join(tmpdir(), 'retrovisor-'))];
  const walk = await recordScript(join(examples, 'walk/walk.ts'), join(traces, 'walk.rvt'), output);
  const wrong = await recordScript(join(examples, 'wrong/vmxe-clear.ts'), join(traces, 'wrong.rvt'), output);
  const steps = [...walk.machine.timeline().steps()];
  const explanation = wrong.machine.timeline().why();
  const document = {
    walk: { script: walk.script, trace: walk.trace, events: steps.map(stepDocument) },
    mistake: {
      script: wrong.script,
      trace: wrong.trace,
      explanation: explanation === undefined ? null : explanationDocument(explanation),
    },
  };
  output.result(document, (colours) =>
    [
      walkText(walk, steps, colours),
      mistakeText(wrong, explanation, colours),
      nextText(walk, wrong, steps, colours),
    ].join('\n\n'),
  );
  const walked = walk.session.outcome === undefined || !isFailure(walk.session.outcome);
  return walked && explanation !== undefined ? EXIT.done : EXIT.failed;
};

async function recordScript(script: string, trace: string, output: Output): Promise<Recorded> {
  const guest = await openGuest(script, { plugin: [] });
  const recording = recordToFile(guest.machine, trace);
  const session = await runGuest(guest, {}, output).finally(() => recording.close());
  return { script: shorter(script), trace: shorter(trace), machine: guest.machine, session };
}

/** As the user would type it. */
function shorter(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.length < path.length && !fromHere.startsWith('..') ? fromHere : path;
}

function walkText({ script, trace, machine }: Recorded, steps: readonly Step[], colours: Colours): string {
  const list = new StepList(machine.position, colours);
  const text = [
    'A script calls instructions like compiler intrinsics. Each is an event with an outcome, and all are in a trace.',
    typed(command('record', script, '-o', trace), colours),
    '',
    ...[list.headings(), ...steps.map((step) => list.step(step))],
  ];
  return chapter('1. VMX is switched on, step by step', text, colours);
}

function mistakeText({ script, trace, machine }: Recorded, why: Explanation | undefined, colours: Colours): string {
  const text = [
    'A variant of the script loses a bit on the way. A processor would say #UD and no more.',
    typed(command('record', script, '-o', trace), colours),
    typed(command('why', trace), colours),
    '',
    why === undefined ? 'Nothing failed.' : explanationText(why, machine.definition, colours),
  ];
  return chapter('2. A mistake, and who is to blame for it', text, colours);
}

function nextText(walk: Recorded, wrong: Recorded, steps: readonly Step[], colours: Colours): string {
  const failedAt = wrong.machine.position - 1;
  const vmxon = steps.find(({ text }) => text.startsWith('vmxon'))?.position ?? 0;
  const last = walk.machine.position - 2;
  const rows = [
    ['the processor as VMXON found it', command('show', wrong.trace, '--at', failedAt)],
    ['who changed the bit last', command('who', wrong.trace, 'CR4.VMXE')],
    ['what if it had been set?', command('fork', wrong.trace, '--at', failedAt, '--edit', 'CR4.VMXE=1')],
    ['what VMXON changes when it works', command('diff', walk.trace, vmxon, vmxon + 1)],
    ['the VMCS that the walk made', command('show', walk.trace, '--at', last, '--view', 'vmcs')],
  ];
  return chapter(
    '3. Where to go from here',
    [
      table(
        [],
        rows.map(([what = '', how = '']) => [colours.dim(what), how]),
        colours,
      ),
    ],
    colours,
  );
}

function chapter(title: string, text: readonly string[], colours: Colours): string {
  return `${colours.bold(title)}\n${indented(text.join('\n'))}`;
}

function typed(line: string, colours: Colours): string {
  return colours.cyan(`$ ${line}`);
}
