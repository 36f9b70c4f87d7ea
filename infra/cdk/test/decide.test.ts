import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { decide, type Template } from '../lib/decide';

/** A template with these conditions and a resource under each. */
function template(conditions: Record<string, unknown>, properties = {}): Template {
  const under = (name: string): [string, object] => [
    name,
    { Condition: name, Metadata: 'about it', Properties: properties },
  ];
  return {
    Parameters: {},
    Conditions: conditions,
    Resources: Object.fromEntries(Object.keys(conditions).map(under)),
    Outputs: {},
  };
}

const YES = { 'Fn::Equals': [{ Ref: 'Count' }, '0'] };
const NO = { 'Fn::Equals': [{ Ref: 'Name' }, ''] };
const VALUES = { Count: 0, Name: '${Token[A.1]}' };

describe('a condition', () => {
  it('decides what is created', () => {
    const { Resources: created } = decide(
      template({
        Yes: YES,
        No: NO,
        Not: { 'Fn::Not': [NO] },
        And: { 'Fn::And': [YES, NO] },
        Or: { 'Fn::Or': [NO, YES] },
      }),
      VALUES,
    );
    assert.deepEqual(Object.keys(created), ['Yes', 'Not', 'Or']);
    assert.deepEqual(created['Yes'], { Properties: {} });
  });

  it('decides what is given', () => {
    const either = (name: string): object => ({ 'Fn::If': [name, [{ Ref: 'Name' }], { Ref: 'AWS::NoValue' }] });
    const { Resources: created } = decide(
      template({ Yes: YES, No: NO }, { A: either('Yes'), B: either('No'), C: [either('No'), either('Yes')] }),
      VALUES,
    );
    assert.deepEqual(created['Yes'], { Properties: { A: [{ Ref: 'Name' }], C: [[{ Ref: 'Name' }]] } });
  });

  it('has to be decided by parameters', () => {
    for (const operand of [{ Ref: 'AWS::Partition' }, { 'Fn::Select': [0, []] }]) {
      assert.throws(
        () => decide(template({ Odd: { 'Fn::Equals': [operand, 'aws'] } }), VALUES),
        /is not decided by parameters/,
      );
    }
    assert.throws(
      () => decide(template({ Odd: { Condition: 'Yes' } }), VALUES),
      /\{"Condition":"Yes"\} is not decided/,
    );
  });
});
