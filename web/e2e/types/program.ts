// Compiled, never run: the generated types say of every call what the server answers with.
import { createClient } from '@supabase/supabase-js';
import type {
  CompositeTypes,
  Constants,
  Database,
  Enums,
  Tables,
  TablesInsert,
  TablesUpdate,
} from './depot';

type Same<A, B> = [A, B] extends [B, A] ? true : false;
type Holds<Fact extends true> = Fact;
type Answer<Call extends () => PromiseLike<{ data: unknown }>> = Awaited<ReturnType<Call>>['data'];

const client = createClient<Database>('http://localhost', 'key', { db: { schema: 'depot' } });

export const reads = {
  list: () => client.from('boxes').select('code,size,hall:halls(name,bays)').throwOnError(),
  one: () => client.from('seals').select('number,boxes(code)').single().throwOnError(),
  many: () => client.from('halls').select('name,boxes(weight)').throwOnError(),
  hinted: () => client.from('boxes').select('code,halls!hall_id(name)').throwOnError(),
  view: () => client.from('totals').select('boxes').throwOnError(),
  // @ts-expect-error there is no such table
  nothing: () => client.from('crates').select(),
};

type Size = 'small' | 'large' | 'extra large';

export type OfReads = [
  Holds<
    Same<
      Answer<typeof reads.list>[number],
      { code: string; size: Size; hall: { name: string; bays: number[] } }
    >
  >,
  Holds<Same<Answer<typeof reads.one>, { number: number; boxes: { code: string } }>>,
  Holds<Same<Answer<typeof reads.many>[number], { name: string; boxes: { weight: number }[] }>>,
  Holds<Same<Answer<typeof reads.hinted>[number], { code: string; halls: { name: string } }>>,
  Holds<Same<Answer<typeof reads.view>[number], { boxes: number | null }>>,
];

export const writes = {
  insert: () => client.from('boxes').insert({ code: 'x', hall_id: 1, weight: 2 }),
  update: () => client.from('boxes').update({ volume: null }),
  view: () => client.from('heavy_boxes').update({ weight: 3 }),
  // @ts-expect-error the hall is missing
  incomplete: () => client.from('boxes').insert({ code: 'x', weight: 2 }),
  // @ts-expect-error PostgreSQL computes the label
  computed: () => client.from('boxes').insert({ code: 'x', hall_id: 1, weight: 2, label: 'X' }),
  // @ts-expect-error a view of sums cannot be written
  sums: () => client.from('totals').insert({ boxes: 1 }),
};

export const calls = {
  weight: () => client.rpc('weigh', { code: 'x' }).throwOnError(),
  text: () => client.rpc('weigh', { code: 'x', unit: 'kg' }).throwOnError(),
  boxes: () => client.rpc('boxes_of', { hall: 1 }).select('code,halls(name)').throwOnError(),
  near: () => client.rpc('nearby', { zip: '1' }).throwOnError(),
  sizes: () => client.rpc('sizes').throwOnError(),
  // @ts-expect-error the argument is missing
  incomplete: () => client.rpc('nearby', {}),
};

export type OfCalls = [
  Holds<Same<Answer<typeof calls.weight>, number>>,
  Holds<Same<Answer<typeof calls.text>, string>>,
  Holds<Same<Answer<typeof calls.boxes>[number], { code: string; halls: { name: string } }>>,
  Holds<Same<Answer<typeof calls.near>[number], { name: string; distance: number }>>,
  Holds<Same<Answer<typeof calls.sizes>[number], Size>>,
];

export type OfHelpers = [
  Holds<Same<Tables<'boxes'>['volume'], number | null>>,
  Holds<Same<Tables<{ schema: 'depot' }, 'boxes'>, Tables<'boxes'>>>,
  Holds<Same<Tables<'totals'>['weight'], number | null>>,
  Holds<Same<TablesInsert<'halls'>['id'], undefined>>,
  Holds<Same<TablesUpdate<{ schema: 'depot' }, 'seals'>['box'], string | undefined>>,
  Holds<Same<Enums<'size'>, (typeof Constants.depot.Enums.size)[number]>>,
  Holds<Same<CompositeTypes<'address'>, { street: string | null; zip: string | null }>>,
];

// @ts-expect-error there is no such table
export type Nothing = Tables<'crates'>;
