// `pnpm qemu [--write] [NAME…]`: runs the guests of test/guests on QEMU and on this machine, and shows where console or
// final registers differ. With --write the results of QEMU become the expected ones. Exit status 1 if anything differs.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FoundGuest, findGuests, type GuestResult, runOnMachine } from '../../guests/guest.js';
import { runOnQemu } from './monitor.js';

const words = process.argv.slice(2);
const wanted = words.filter((word) => !word.startsWith('--'));
const isWriting = words.includes('--write');

for (const guest of findGuests()) {
  if (guest.description.qemu === null || (wanted.length > 0 && !wanted.includes(guest.name))) continue;
  const theirs = await runOnQemu(guest);
  if (isWriting) writeFileSync(join(guest.folder, 'expected.json'), `${JSON.stringify(theirs, undefined, 2)}\n`);
  const lines = await compared(guest, theirs);
  process.stdout.write(`${lines.length === 0 ? 'same' : 'DIFFERENT'}: ${guest.name}, ${guest.description.title}\n`);
  for (const line of lines) process.stdout.write(`  ${line}\n`);
  if (lines.length > 0) process.exitCode = 1;
}

async function compared(guest: FoundGuest, theirs: GuestResult): Promise<readonly string[]> {
  try {
    const ours = facts((await runOnMachine(guest)).result);
    const other = facts(theirs);
    const places = [...new Set([...ours.keys(), ...other.keys()])];
    return places
      .filter((place) => ours.get(place) !== other.get(place))
      .map((place) => `${place}: ${ours.get(place) ?? 'nothing'} here, ${other.get(place) ?? 'nothing'} on QEMU`);
  } catch (thrown) {
    return [thrown instanceof Error ? thrown.message : String(thrown)];
  }
}

/** A result as values by place. */
function facts({ console, exit, registers }: GuestResult): ReadonlyMap<string, string> {
  return new Map([
    ...Object.entries(console).flatMap(([device, lines]) =>
      lines.map((line, index): [string, string] => [`${device}, line ${index + 1}`, JSON.stringify(line)]),
    ),
    ['debug exit', String(exit)],
    ...registers.flatMap((values, id) =>
      Object.entries(values).map(([name, value]): [string, string] => [`processor ${id}, ${name}`, value]),
    ),
  ]);
}
