// defineEvent: an outside input as name, payload codec and reducer in one declaration.

import type { MachineDraft } from '../state/draft.js';
import type { Codec } from './codec.js';

/** The payload of an event as plain data. */
export type Payload = Readonly<Record<string, unknown>>;

/** A kind of event that plugins and core's devices add. */
export interface EventDefinition<Type extends string = string, Data extends Payload = Payload> {
  /** `domain/pastTense`. */
  readonly type: Type;
  readonly payload: { readonly [Field in keyof Data]: Codec<Data[Field]> };
  /** Moves the draft. Pure and total: what cannot happen changes nothing. */
  apply(draft: MachineDraft, payload: Data): void;
  /** The event as a value. */
  create(payload: Data): { readonly type: Type } & Data;
}

/** Declares an event. */
export function defineEvent<const Type extends `${string}/${string}`, Data extends Payload>(
  type: Type,
  { payload, apply }: Pick<EventDefinition<Type, Data>, 'payload' | 'apply'>,
): EventDefinition<Type, Data> {
  return Object.freeze({ type, payload, apply, create: (data: Data) => Object.freeze({ type, ...data }) });
}
