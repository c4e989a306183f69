import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/error.js';
import { createMachine } from '../../src/machine/machine.js';
import { definePlugin, PLUGIN_API_VERSION } from '../../src/plugin/define.js';
import { findProfile } from '../../src/profile/profiles.js';
import { definitionOf } from '../../src/trace/definition-of.js';
import { headerOf } from '../../src/trace/header.js';

const X2APIC = 1 << 21;

/** A plugin whose feature is the width of physical addresses. */
const narrow = definePlugin({
  name: 'narrow',
  version: '1.0.0',
  apiVersion: PLUGIN_API_VERSION,
  features: { wide: (profile) => ({ ...profile, physicalAddressWidth: 36 }) },
});

const ecxOf = (profile: string) => {
  const outcome = createMachine({ profile }).processor(0).cpuid(1, 0);
  return ('value' in outcome ? (outcome.value as { ecx: number }) : { ecx: 0 }).ecx;
};

describe('a profile with a feature switched off', () => {
  it('does not show the bit of CPUID', () => {
    expect(ecxOf('intel-server') & X2APIC).toBe(X2APIC);
    expect(ecxOf('intel-server,-x2APIC') & X2APIC).toBe(0);
  });

  it('is named by its text, aliases resolved', () => {
    const { profile } = createMachine({ profile: 'intel-server, -x2APIC,-RDRAND' }).definition;
    expect(profile.name).toBe('intel-emerald-rapids,-x2APIC,-RDRAND');
    expect(findProfile('intel-server').name).toBe('intel-emerald-rapids');
  });

  it('may lack what a plugin declares', () => {
    const machine = createMachine({ profile: 'intel-server,-wide', plugins: [narrow] });
    expect(machine.definition.profile.physicalAddressWidth).toBe(36);
  });

  it.each(['intel-server,-flux capacitor', 'intel-server,x2APIC', 'intel-server,-wide', 'intel-server,-constructor'])(
    'is refused for a feature that is not known: %s',
    (profile) => {
      expect(() => createMachine({ profile })).toThrow(UsageError);
      expect(() => createMachine({ profile })).toThrow(/such as -/);
    },
  );

  it('is made again from the header of a trace', () => {
    const { definition } = createMachine({ profile: 'intel-server,-wide,-x2APIC', plugins: [narrow] });
    const header = headerOf(definition);
    expect(definitionOf(header, { plugins: [narrow] }).profile).toEqual(definition.profile);
    const other = { ...header, profile: { ...header.profile, name: 'intel-server,-flux' } };
    expect(() => definitionOf(other, { plugins: [narrow] })).toThrow(
      expect.objectContaining({ code: 'TRACE_PROFILE_UNKNOWN' }),
    );
  });
});
