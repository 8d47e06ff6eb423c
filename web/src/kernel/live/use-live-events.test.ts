import { expect, it } from 'vitest';
import { readLiveEvent } from './use-live-events';

it('reads an event of a topic', () => {
  expect(readLiveEvent('progress', '{"topic":"imports:1","type":"progress","done":5}')).toEqual({
    topic: 'imports:1',
    type: 'progress',
    done: 5,
  });
});

it('takes the name of an event that says nothing else', () => {
  expect(readLiveEvent('reload', '{}')).toEqual({ type: 'reload' });
});

it('ignores what it cannot read', () => {
  expect(readLiveEvent('state', 'not json')).toBeNull();
  expect(readLiveEvent('state', 'null')).toBeNull();
  expect(readLiveEvent(undefined, '7')).toBeNull();
});
