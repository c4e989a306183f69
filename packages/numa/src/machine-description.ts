// The description of a machine with non-uniform memory access, as people and firmware write it: nodes with their
// processors and memory, distances as in the ACPI SLIT, latencies as memory latency checkers print them. Plain data: it
// goes into the header of a trace, so that a replay counts alike. Caches and links between nodes are not described.

/** A half-open range of physical addresses in bytes, multiples of 4096, up to 2^52. */
export interface MemoryRange {
  readonly start: number;
  readonly end: number;
}

/** One node. Its number is its index in the description. */
export interface NodeDescription {
  /** Logical processors as Linux prints them in `cpulist`: `0-12,52-64`; empty for a node of memory alone. */
  readonly processors: string;
  /** Empty for a node of processors alone. */
  readonly memory: readonly MemoryRange[];
}

/**
 * What one access to memory costs when nothing else competes: a row for each node that asks, a column for each node that
 * answers, or the two figures that are enough for most machines of two nodes. Remote figures are never derived from
 * `distances`: firmware says 2.1 where 1.5 is measured (codeblueprint.co.uk, "What are ACPI SLIT tables and why are they
 * filled with lies?").
 */
export type LatencyDescription =
  | {
      readonly unit: LatencyUnit;
      /** `null` where no access can happen: a row without processors, a column without memory. */
      readonly matrix: readonly (readonly (number | null)[])[];
    }
  | { readonly unit: LatencyUnit; readonly local: number; readonly remote: number };

/** Nanoseconds need `clockInMHz`. */
export type LatencyUnit = 'cycles' | 'ns';

/** Where one figure of a description comes from. */
export interface FigureSource {
  /** Which figures: `latency`, `distances`, `clockInMHz`, `processors`, `memory`. */
  readonly figures: readonly string[];
  readonly title: string;
  readonly url?: string;
}

/** A whole machine. */
export interface MachineDescription {
  /** Kebab-case: `xeon-platinum-8360y`. */
  readonly name: string;
  readonly title?: string;
  readonly sources?: readonly FigureSource[];
  readonly nodes: readonly NodeDescription[];
  /**
   * The System Locality Information Table: a row for each node, 10 on the diagonal, 11 to 254 elsewhere, not necessarily
   * symmetric. Without one a distance is 10 or 20, as Linux has it for firmware that has none.
   */
  readonly distances?: readonly (readonly number[])[];
  readonly latency: LatencyDescription;
  /** Cycles of a processor in a microsecond. */
  readonly clockInMHz?: number;
}
