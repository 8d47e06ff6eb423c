import { PostgrestClient } from '@supabase/postgrest-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRest, token } from './support/rest';

// Everything that the unmodified client can ask for, of `tenon rest` on a database that knows nothing of Tenon.
let rest: Awaited<ReturnType<typeof startRest>>;
let visitor: ReturnType<typeof client>;
let staff: ReturnType<typeof client>;

function client(claims?: Record<string, unknown>) {
  const headers = claims ? { authorization: `Bearer ${token(claims)}` } : undefined;
  return new PostgrestClient(rest.url, { schema: 'cinema', headers });
}

beforeAll(async () => {
  rest = await startRest(new URL('./data/cinema.sql', import.meta.url), {
    PGRST_DB_SCHEMAS: 'cinema,archive',
    PGRST_DB_ANON_ROLE: 'cinema_visitor',
    PGRST_DB_AGGREGATES_ENABLED: 'true',
    PGRST_DB_PLAN_ENABLED: 'true',
    PGRST_DB_TX_END: 'commit-allow-override',
  });
  visitor = client();
  staff = client({ role: 'cinema_staff', sub: 'ada' });
});

afterAll(async () => {
  await rest.stop();
});

const films = (columns = 'id') => visitor.from('films').select(columns);

/** The ids that a query finds, in their order. */
async function ids(query: PromiseLike<{ data: unknown; error: unknown }>) {
  const { data, error } = await query;
  expect(error).toBeNull();
  return (data as { id: number }[]).map(({ id }) => id).sort((one, other) => one - other);
}

describe('filters', () => {
  it('compares', async () => {
    expect(await ids(films().eq('title', 'Salt'))).toEqual([4]);
    expect(await ids(films().neq('minutes', 90))).toEqual([1, 2, 3, 4]);
    expect(await ids(films().gt('minutes', 96))).toEqual([1, 3]);
    expect(await ids(films().gte('minutes', 96))).toEqual([1, 2, 3]);
    expect(await ids(films().lt('rating', 6.2))).toEqual([5]);
    expect(await ids(films().lte('rating', 6.2))).toEqual([3, 5]);
    expect(await ids(films().is('rating', null))).toEqual([4]);
    expect(await ids(films().isDistinct('rating', 5))).toEqual([1, 2, 3, 4]);
    expect(await ids(films().match({ director_id: 1, minutes: 96 }))).toEqual([2]);
  });

  it('finds one of several and none of them, whatever they contain', async () => {
    expect(await ids(films().in('title', ['Salt', 'Night Shift %', 'a,"b"\\(c)']))).toEqual([3, 4]);
    expect(await ids(films().notIn('id', [1, 2, 3]))).toEqual([4, 5]);
    expect(await ids(films().in('id', []))).toEqual([]);
  });

  it('matches patterns', async () => {
    expect(await ids(films().like('title', '%Quay'))).toEqual([1]);
    expect(await ids(films().ilike('title', '%QU%'))).toEqual([1, 2]);
    expect(await ids(films().likeAllOf('title', ['%Qu%', '%Long%']))).toEqual([1]);
    expect(await ids(films().likeAnyOf('title', ['Salt', 'Un%']))).toEqual([4, 5]);
    expect(await ids(films().ilikeAllOf('title', ['%q%', '%cranes']))).toEqual([2]);
    expect(await ids(films().ilikeAnyOf('title', ['SALT', 'quiet%']))).toEqual([2, 4]);
    expect(await ids(films().regexMatch('title', '^[NS]'))).toEqual([3, 4]);
    expect(await ids(films().regexIMatch('title', '^the'))).toEqual([1]);
  });

  it('looks into arrays, ranges and JSON', async () => {
    expect(await ids(films().contains('tags', ['harbour']))).toEqual([1, 3]);
    expect(await ids(films().containedBy('tags', ['drama', 'comedy']))).toEqual([2, 4, 5]);
    expect(await ids(films().overlaps('tags', ['comedy', 'harbour']))).toEqual([1, 3, 5]);
    expect(await ids(films().contains('particulars', { country: 'NO' }))).toEqual([1, 2]);
    expect(await ids(films().eq('particulars->>country', 'ES'))).toEqual([3, 4]);
    expect(await ids(films().eq('particulars->prizes->>0', 'Golden Gull'))).toEqual([1]);
    const screenings = () => visitor.from('screenings').select('id');
    expect(await ids(screenings().rangeGt('during', '[20,30)'))).toEqual([2, 4]);
    expect(await ids(screenings().rangeGte('during', '[20,30)'))).toEqual([2, 3, 4]);
    expect(await ids(screenings().rangeLt('during', '[20,30)'))).toEqual([1]);
    expect(await ids(screenings().rangeLte('during', '[20,30)'))).toEqual([1, 3]);
    expect(await ids(screenings().rangeAdjacent('during', '[20,30)'))).toEqual([1, 2]);
    expect(await ids(screenings().overlaps('during', '[15,25)'))).toEqual([1, 3]);
  });

  it('searches text', async () => {
    expect(await ids(films().textSearch('plot', 'crane'))).toEqual([2]);
    const english = { config: 'english' };
    expect(await ids(films().textSearch('plot', 'ship & winter', english))).toEqual([1]);
    const plain = { ...english, type: 'plain' } as const;
    expect(await ids(films().textSearch('plot', 'crane drivers', plain))).toEqual([2]);
    const phrase = { ...english, type: 'phrase' } as const;
    expect(await ids(films().textSearch('plot', 'one winter', phrase))).toEqual([1]);
    const web = { ...english, type: 'websearch' } as const;
    expect(await ids(films().textSearch('plot', 'baker or pilot', web))).toEqual([1, 3]);
  });

  it('combines', async () => {
    expect(await ids(films().not('rating', 'is', null))).toEqual([1, 2, 3, 5]);
    expect(await ids(films().or('minutes.lt.80,and(rating.gt.7,tags.cs.{harbour})'))).toEqual([
      1, 4,
    ]);
    expect(await ids(films().filter('id', 'in', '(1,5)'))).toEqual([1, 5]);
    const cast = visitor.from('films').select('id,parts!inner(part)');
    expect(await ids(cast.or('part.eq.Mate,part.eq.Baker', { referencedTable: 'parts' }))).toEqual([
      1, 3,
    ]);
  });
});

describe('reading', () => {
  it('casts, renames and reaches into JSON', async () => {
    const { data } = await films(
      'name:title,minutes::text,particulars->prizes,country:particulars->>country',
    )
      .eq('id', 1)
      .single();
    expect(data).toEqual({
      name: 'The Long Quay',
      minutes: '128',
      prizes: ['Golden Gull'],
      country: 'NO',
    });
  });

  it('embeds in every direction', async () => {
    const { data, error } = await visitor
      .from('films')
      .select(
        'title,director:directors(name,surname),parts(part,actors(name)),actors(name),screenings(seats)',
      )
      .eq('id', 1)
      .order('part', { referencedTable: 'parts' })
      .order('name', { referencedTable: 'actors', ascending: false })
      .limit(1, { referencedTable: 'screenings' })
      .single();
    expect(error).toBeNull();
    expect(data).toEqual({
      title: 'The Long Quay',
      director: { name: 'Ida Lund', surname: 'Lund' },
      parts: [
        { part: 'Mate', actors: { name: 'Björn Ek' } },
        { part: 'Pilot', actors: { name: 'Ana Prado' } },
      ],
      actors: [{ name: 'Björn Ek' }, { name: 'Ana Prado' }],
      screenings: [{ seats: 80 }],
    });
    const spread = await films('title,...directors(by:name),...parts(part)').eq('id', 2).single();
    expect(spread.data).toEqual({ title: 'Quiet Cranes', by: 'Ida Lund', part: ['Driver'] });
    expect(await ids(films('id,screenings()').is('screenings', null))).toEqual([4, 5]);
    expect(await ids(films('id,screenings!inner(seats)').gt('screenings.seats', 70))).toEqual([
      1, 3,
    ]);
  });

  it('sorts with nulls where they are wanted, and by what is embedded', async () => {
    const by = async (nullsFirst: boolean) => {
      const { data } = await visitor
        .from('films')
        .select('id')
        .order('rating', { ascending: false, nullsFirst });
      return data?.map(({ id }) => id as number);
    };
    expect(await by(true)).toEqual([4, 2, 1, 3, 5]);
    expect(await by(false)).toEqual([2, 1, 3, 5, 4]);
    const { data } = await films('id,directors(name)')
      .order('directors(name)', { ascending: false, nullsFirst: false })
      .order('id')
      .limit(3);
    expect(data).toMatchObject([{ id: 3 }, { id: 4 }, { id: 1 }]);
  });

  it('pages and counts', async () => {
    const page = await visitor
      .from('films')
      .select('id', { count: 'exact' })
      .order('id')
      .range(1, 2);
    expect(page).toMatchObject({ status: 206, count: 5, data: [{ id: 2 }, { id: 3 }] });
    const head = await visitor.from('films').select('*', { count: 'exact', head: true });
    expect(head).toMatchObject({ status: 200, count: 5, data: null });
    for (const count of ['planned', 'estimated'] as const) {
      const { error, count: about } = await visitor.from('films').select('id', { count });
      expect(error).toBeNull();
      expect(about).toBeGreaterThan(0);
    }
    const beyond = await visitor.from('films').select('id', { count: 'exact' }).range(50, 60);
    expect(beyond).toMatchObject({ status: 416, error: { code: 'PGRST103' } });
  });

  it('groups and sums', async () => {
    const { data, error } = await visitor
      .from('films')
      .select('director_id,count(),minutes.sum()')
      .order('director_id');
    expect(error).toBeNull();
    expect(data).toEqual([
      { director_id: 1, count: 2, sum: 224 },
      { director_id: 2, count: 2, sum: 175 },
      { director_id: null, count: 1, sum: 90 },
    ]);
  });

  it('gives one, perhaps one, CSV, no nulls, and the plan', async () => {
    expect(await films().eq('id', 99).maybeSingle()).toMatchObject({ data: null, error: null });
    const several = await films().single();
    expect(several).toMatchObject({ status: 406, error: { code: 'PGRST116' } });
    const csv = await films('id,title').eq('id', 4).csv();
    expect(csv.data).toBe('id,title\n4,Salt');
    const stripped = await films('id,rating').eq('id', 4).stripNulls();
    expect(stripped.data).toEqual([{ id: 4 }]);
    const plan = await films().explain({ format: 'json', analyze: true });
    expect(JSON.stringify(plan.data)).toContain('Actual Rows');
    const text = await films().explain();
    expect(text.data).toContain('cost=');
  });

  it('reads another schema, and refuses one that is not shown', async () => {
    const reels = await visitor.schema('archive').from('reels').select();
    expect(reels.data).toEqual([{ id: 1, label: 'Nitrate, keep cold' }]);
    const hidden = await visitor
      .schema('public' as never)
      .from('films')
      .select();
    expect(hidden).toMatchObject({ status: 406, error: { code: 'PGRST106' } });
  });

  it('ends when the caller gives up, and throws when asked to', async () => {
    const given = new AbortController();
    given.abort();
    const aborted = await films().abortSignal(given.signal);
    expect(aborted.error?.message).toMatch(/abort/i);
    await expect(visitor.from('nowhere').select().throwOnError()).rejects.toMatchObject({
      code: 'PGRST205',
    });
  });
});

describe('writing', () => {
  it('inserts one and many, with defaults for what is missing', async () => {
    const one = await staff.from('films').insert({ title: 'One' }).select('title,minutes').single();
    expect(one).toMatchObject({ status: 201, data: { title: 'One', minutes: 90 } });
    const many = await staff
      .from('films')
      .insert([{ title: 'Two' }, { title: 'Three', minutes: 33 }], {
        defaultToNull: false,
        count: 'exact',
      })
      .select('title,minutes');
    expect(many).toMatchObject({ status: 201, count: 2 });
    expect(many.data).toEqual([
      { title: 'Two', minutes: 90 },
      { title: 'Three', minutes: 33 },
    ]);
    const silent = await staff.from('films').insert({ title: 'Four', director_id: 1 });
    expect(silent).toMatchObject({ status: 201, data: null, error: null });
    const twice = await staff.from('films').insert({ title: 'Four' });
    expect(twice).toMatchObject({ status: 409, error: { code: '23505' } });
    const unknown = await staff.from('films').insert({ titel: 'Five' });
    expect(unknown).toMatchObject({ status: 400, error: { code: 'PGRST204' } });
  });

  it('inserts or updates, or leaves what is there', async () => {
    const merged = await staff
      .from('directors')
      .upsert({ id: 3, name: 'Wu Jing', born: '1980-01-01' })
      .select();
    expect(merged.data).toEqual([{ id: 3, name: 'Wu Jing', born: '1980-01-01' }]);
    const ignored = await staff
      .from('films')
      .upsert({ title: 'Salt', minutes: 1 }, { onConflict: 'title', ignoreDuplicates: true })
      .select();
    expect(ignored.data).toEqual([]);
    const replaced = await staff
      .from('films')
      .upsert({ title: 'Unsigned', rating: 5.5 }, { onConflict: 'title', defaultToNull: false })
      .select('id,rating');
    expect(replaced).toMatchObject({ data: [{ id: 5, rating: 5.5 }] });
  });

  it('updates and deletes what the filters choose, and no more than it may', async () => {
    const updated = await staff
      .from('films')
      .update({ rating: 9 }, { count: 'exact' })
      .eq('title', 'Two')
      .select('title,rating,directors(name)');
    expect(updated).toMatchObject({
      count: 1,
      data: [{ title: 'Two', rating: 9, directors: null }],
    });
    const tooMany = staff.from('films').update({ rating: 1 }).gt('id', 100);
    tooMany.maxAffected(1);
    expect(await tooMany).toMatchObject({ status: 400, error: { code: 'PGRST124' } });
    const tried = await staff.from('films').delete().gt('id', 100).select('title').rollback();
    expect(tried.data).toHaveLength(4);
    const deleted = await staff.from('films').delete({ count: 'exact' }).gt('id', 100);
    expect(deleted).toMatchObject({ status: 204, count: 4 });
  });

  it('refuses who may not', async () => {
    const denied = await visitor.from('films').insert({ title: 'Six' });
    expect(denied).toMatchObject({ status: 401, error: { code: '42501' } });
    const late = client({ role: 'cinema_staff', exp: 1 });
    expect(await late.from('films').select()).toMatchObject({
      status: 401,
      error: { code: 'PGRST303' },
    });
  });
});

describe('functions', () => {
  it('calls them by POST, GET and HEAD, filtered, embedded and counted', async () => {
    const long = await visitor
      .rpc('longer_than', { minutes: 95 }, { count: 'exact' })
      .select('title,directors(name)')
      .eq('director_id', 2);
    expect(long).toMatchObject({
      count: 1,
      data: [{ title: 'Night Shift %', directors: { name: 'Omar Reyes' } }],
    });
    const got = await visitor.rpc('seats_sold', { film: 1, discount: 0.5 }, { get: true });
    expect(got.data).toBe(70);
    const array = await visitor.rpc('has_all', { wanted: ['drama', 'harbour'] }, { get: true });
    expect(array.data).toEqual(['The Long Quay']);
    const head = await visitor.rpc('longer_than', { minutes: 95 }, { head: true, count: 'exact' });
    expect(head).toMatchObject({ count: 3, data: null });
    const nothing = await visitor.rpc('close_hall');
    expect(nothing).toMatchObject({ status: 204, data: null, error: null });
    const missing = await visitor.rpc('seats_sol', { film: 1 });
    expect(missing.error).toMatchObject({ code: 'PGRST202' });
  });
});

it('sees a table as soon as it is there', async () => {
  await rest.sql.query(
    `create table cinema.posters (id int primary key); grant select on cinema.posters to cinema_visitor;
     notify pgrst, 'reload schema'`,
  );
  await expect.poll(async () => (await visitor.from('posters').select()).status).toBe(200);
});
