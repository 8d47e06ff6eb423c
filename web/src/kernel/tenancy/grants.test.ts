import { expect, it } from 'vitest';
import { grants } from './grants';

it.each([
  [['purchasing.orders.read'], 'purchasing.orders.read', true],
  [['purchasing.*'], 'purchasing.orders.read', true],
  [['*'], 'purchasing.orders.read', true],
  [['purchasing.orders.read'], 'purchasing.orders.import', false],
  [['purchasing.*'], 'purchasing', false],
  [['purchas.*'], 'purchasing.orders.read', false],
  [[], 'purchasing.orders.read', false],
])('%j grants %s: %s', (held, wanted, granted) => {
  expect(grants(held, wanted)).toBe(granted);
});
