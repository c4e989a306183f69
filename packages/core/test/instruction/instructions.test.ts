// What holds for every declaration: keys, rules, citations.
import { readdirSync, readFileSync } from 'node:fs';
import { Mnemonic } from 'iced-x86';
import { describe, expect, it } from 'vitest';
import type { FunctionInstruction } from '../../src/instruction/define.js';
import { BASE_INSTRUCTIONS } from '../../src/instruction/instructions.js';
import { FAULT_EXPLANATIONS } from '../../src/interrupt/fault-explanations.js';
import { staleTlb } from '../../src/memory/stale-tlb.js';
import { parseLocation } from '../../src/timeline/location.js';
import { bootedMachine } from '../support/booted-machine.js';

const functions: readonly FunctionInstruction[] = BASE_INSTRUCTIONS.filter(({ form }) => form === 'function') as never;
const MNEMONICS = new Set(Object.keys(Mnemonic).map((name) => name.toUpperCase()));

describe('the instructions of the base machine', () => {
  it('are declared once each, under the name that the decoder gives them', () => {
    const names = BASE_INSTRUCTIONS.map(({ mnemonic }) => mnemonic);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    expect(names.filter((name) => !MNEMONICS.has(name.replace(/ (CR|DR|Sreg|far|xmm|mm)$/, '')))).toEqual([]);
  });

  it('name their rules core.<mnemonic>.<subject>, or core.<unit>.<subject> for what a whole unit shares, each once', () => {
    const rules = functions.flatMap(({ checks }) => checks);
    const ids = [...new Map(rules.map((rule) => [`${rule.id} ${rule.explain}`, rule.id])).values()];
    expect(ids.filter((id) => !/^core\.[a-z0-9-]+\.[a-z0-9-]+$/.test(id))).toEqual([]);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it('name places that exist as what they read, write and check', () => {
    const { definition } = bootedMachine();
    const execution = { cpu: undefined, operands: [] } as never;
    const places = functions.flatMap(({ reads, writes, checks }) => [
      ...reads,
      ...writes,
      ...checks.flatMap((rule) => rule.fields(execution)),
    ]);
    expect(() => [...new Set(places)].map((place) => parseLocation(definition, place))).not.toThrow();
  });

  it('explain every rule that is raised while an effect is computed', () => {
    const sources = ['instruction', 'register', 'memory'].flatMap((folder) => {
      const directory = new URL(`../../src/${folder}/`, import.meta.url);
      return readdirSync(directory, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => readFileSync(new URL(name, directory), 'utf8'));
    });
    const rows = new Set(functions.flatMap(({ checks }) => checks.map(({ id }) => id)));
    const ids = new Set(sources.flatMap((text) => text.match(/(?<=')core\.[a-z0-9-]+\.[a-z0-9-]+(?=')/g) ?? []));
    const hazards = new Set((staleTlb.hazards ?? []).map(({ id }) => id)); // reported, not raised
    const unexplained = [...ids].filter((id) => !rows.has(id) && !hazards.has(id) && !(id in FAULT_EXPLANATIONS));
    expect(unexplained).toEqual([]);
  });
});
