import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';

import { Stack, Stage } from 'aws-cdk-lib';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';

import { SnapshotVault } from '../lib';
import {
  builtFunctions,
  DATABASES,
  EXAMPLE_POLICY,
  examplePolicy,
  newStack,
  owners,
  sourceKeys,
  synthesized,
  temporaryFolder,
  vault,
} from './scene';

/** As much of a ZIP file as is read of it. */
function packed(comment: string): Buffer {
  return Buffer.concat([Buffer.from('PK\x05\x06'), Buffer.alloc(18), Buffer.from(comment)]);
}

describe('a vault', () => {
  it('has no parameters and no Metadata of its template', () => {
    const {
      Parameters: parameters,
      Metadata: metadata,
      Resources: resources,
    } = synthesized(vault()).toJSON() as {
      Parameters: object;
      Metadata?: object;
      Resources: Record<string, { Metadata?: object }>;
    };
    // The bootstrap's version is CDK's own.
    assert.deepEqual(Object.keys(parameters), ['BootstrapVersion']);
    assert.equal(metadata, undefined);
    assert.deepEqual(
      Object.keys(resources).filter((id) => resources[id]?.Metadata),
      [],
    );
  });

  it('gives its resources by their logical IDs, to be changed', () => {
    const made = vault();
    made.resource('CopySharedSnapshots', CfnFunction).memorySize = 1024;
    made.resource('UnprotectedAlarm', CfnAlarm).alarmActions = ['arn:aws:sns:eu-central-1:444455556666:pager'];
    const template = synthesized(made);
    template.hasResourceProperties('AWS::Lambda::Function', {
      MemorySize: 1024,
      Description: Match.stringLikeRegexp('copies'),
    });
    const alarms = template.findResources('AWS::CloudWatch::Alarm') as Record<string, { Properties: object }>;
    assert.deepEqual(alarms['UnprotectedAlarm']?.Properties, {
      ...alarms['UnprotectedAlarm']?.Properties,
      AlarmActions: ['arn:aws:sns:eu-central-1:444455556666:pager'],
    });
    assert.throws(() => made.resource('Nothing', CfnAlarm), /'Nothing' was not found/);
    assert.throws(
      () => made.resource('CopierQueue', CfnAlarm),
      /Stack\/Vault: CopierQueue is AWS::SQS::Queue, which is no CfnAlarm/,
    );
  });

  it('is the only one in its stack', () => {
    const stack = newStack();
    vault({}, stack);
    assert.throws(
      () => new SnapshotVault(stack, 'Second', { policy: EXAMPLE_POLICY, code: { bucket: 'snapferry', prefix: '' } }),
      /^Error: Stack\/Second: the stack Stack has Stack\/Vault in it already/,
    );
    const app = Stage.of(stack);
    assert.ok(app);
    vault({}, new Stack(app, 'Other'));
  });

  it('takes a topic of the same app, and has no conditions, which might not name it', () => {
    const stack = newStack();
    const topic = new Topic(stack, 'Topic');
    const template = synthesized(vault({ alarmTopicArn: topic.topicArn, silentOwnerAlarmHours: 0 }, stack));
    template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [stack.resolve(topic.topicArn)] });
    assert.equal((template.toJSON() as { Conditions?: object }).Conditions, undefined);
    assert.ok(!('SilentOwnerAlarm' in template.findResources('AWS::CloudWatch::Alarm')));
    assert.ok('SilentOwnerAlarm' in synthesized(vault()).findResources('AWS::CloudWatch::Alarm'));
  });

  it('refuses what a parameter would refuse', () => {
    assert.throws(
      () =>
        vault({ maxDeletesPerRun: 0, sweepSchedule: 'hourly', sourceKeyArns: ['alias/key'], logRetentionDays: 2 as 1 }),
      (error: Error) => {
        assert.deepEqual(error.message.split('\n'), [
          'Stack/Vault: sourceKeyArns: "alias/key" must be ARNs of KMS keys (not of aliases), separated by commas without spaces.',
          'Stack/Vault: maxDeletesPerRun: "0" must be at least 1',
          'Stack/Vault: sweepSchedule: "hourly" must be a schedule such as rate(15 minutes) or cron(0/15 * * * ? *).',
          'Stack/Vault: logRetentionDays: "2" must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, ' +
            '1827, 2192, 2557, 2922, 3288, 3653',
        ]);
        return true;
      },
    );
  });
});

describe('a vault, in an app in JavaScript,', () => {
  for (const [props, message] of [
    [{ sweepSchedul: 'rate(1 hour)' }, 'sweepSchedul is no prop'],
    [{ maxDeletesPerRun: NaN }, 'maxDeletesPerRun: "NaN" must be a whole number'],
    [{ unprotectedAlarmHours: 1.5 }, 'unprotectedAlarmHours: "1.5" must be a whole number'],
    [{ policy: undefined }, 'policy is the path of a JSON file, or an object; there is no file undefined'],
    [{ policy: '{}' }, 'policy is the path of a JSON file, or an object; there is no file {}'],
    [{ policy: 'absent.json' }, 'policy is the path of a JSON file, or an object; there is no file absent.json'],
    [{ code: undefined }, 'code is either { folder } or { bucket, prefix }'],
    [{ code: { folder: '/', bucket: 'my-code' } }, 'code is either { folder } or { bucket, prefix }'],
    [
      { code: { bucket: 'my-code-us-gov-west-1', prefix: '' } },
      'code.bucket is without the hyphen and the Region, which the template adds: my-code-us-gov-west-1',
    ],
  ] as [object, string][]) {
    it(`refuses ${inspect(props)}`, () => {
      assert.throws(() => vault(props), { message: `Stack/Vault: ${message}` });
    });
  }

  it('may have a bucket that looks a little like it ends with a Region', () => {
    synthesized(vault({ code: { bucket: 'my-new-code-1', prefix: '' } }));
  });
});

describe("a vault's code", () => {
  it('is uploaded from a folder, and nothing else of it', () => {
    const folder = builtFunctions();
    writeFileSync(join(folder, 'verify-copies', 'notes'), 'not for Lambda');
    const made = vault({ code: { folder } });
    const template = synthesized(made);
    assert.ok(!JSON.stringify(template.toJSON()).includes('${CodeBucket}'));
    const keys = Object.values(template.findResources('AWS::Lambda::Function')).map((each) => {
      const { Properties: properties } = each as { Properties: { Code: { S3Key: string } } };
      return properties.Code.S3Key;
    });
    const { directory } = written(made);
    const uploaded = readdirSync(directory).filter(
      (name) => name.startsWith('asset.') && existsSync(join(directory, name, 'bootstrap')),
    );
    assert.deepEqual(
      uploaded.map((name) => readdirSync(join(directory, name))),
      [['bootstrap'], ['bootstrap'], ['bootstrap']],
    );
    assert.deepEqual(keys.sort(), uploaded.map((name) => `${name.replace('asset.', '')}.zip`).sort());
  });

  it('is that of its architecture, where packages lie in the folder', () => {
    const folder = temporaryFolder();
    const functions = ['copy-shared-snapshots', 'verify-copies', 'delete-expired-copies'];
    for (const name of functions) {
      for (const each of ['x86_64', 'arm64']) {
        writeFileSync(join(folder, `${name}-${each}.zip`), packed(`${name} for ${each}`));
      }
    }
    for (const [props, architecture] of [
      [{}, 'x86_64'],
      [{ architecture: 'arm64' }, 'arm64'],
    ] as const) {
      const { directory } = written(vault({ ...props, code: { folder } }));
      const packages = readdirSync(directory).filter((name) => name.startsWith('asset.') && name.endsWith('.zip'));
      assert.deepEqual(
        packages.map((name) => readFileSync(join(directory, name), 'utf8').slice(22)).sort(),
        functions.map((name) => `${name} for ${architecture}`).sort(),
      );
    }
  });

  it("is what the release lists, and of the constructs' own version", () => {
    const folder = temporaryFolder();
    const functions = ['copy-shared-snapshots', 'verify-copies', 'delete-expired-copies'];
    const write = (version: string, architecture = 'x86_64'): void => {
      const lines = functions.map((name) => {
        const content = packed(`snapferry ${version} 0123456789ab ${name} ${architecture}`);
        writeFileSync(join(folder, `${name}-x86_64.zip`), content);
        return `${createHash('sha256').update(content).digest('hex')}  ${name}-x86_64.zip\n`;
      });
      writeFileSync(join(folder, 'SHA256SUMS'), lines.join(''));
    };
    write('0.1.0');
    assert.ok(vault({ code: { folder } }));
    writeFileSync(join(folder, 'verify-copies-x86_64.zip'), packed('changed'));
    assert.throws(() => vault({ code: { folder } }), /verify-copies-x86_64\.zip is not what .*SHA256SUMS says/);
    write('0.1.0');
    const sums = readFileSync(join(folder, 'SHA256SUMS'), 'utf8');
    writeFileSync(
      join(folder, 'SHA256SUMS'),
      sums.replaceAll('\n', '\r\n').replace(/^[0-9a-f]{64}/gm, (each) => each.toUpperCase()),
    );
    assert.ok(vault({ code: { folder } }));
    writeFileSync(join(folder, 'SHA256SUMS'), `${sums}${'0'.repeat(64)}  verify-copies-x86_64.zip\n`);
    assert.throws(() => vault({ code: { folder } }), /is not what .*SHA256SUMS says/);
    rmSync(join(folder, 'SHA256SUMS'));
    writeFileSync(join(folder, 'verify-copies-x86_64.zip'), 'a text');
    assert.throws(() => vault({ code: { folder } }), /verify-copies-x86_64\.zip is no ZIP file/);
    write('0.0.9');
    assert.throws(() => vault({ code: { folder } }), /is 'snapferry 0\.0\.9 .*these constructs are of 0\.1\.0/);
    write('0.1.0', 'arm64');
    assert.throws(() => vault({ code: { folder } }), /want .* for x86_64/);
  });

  it('is found in the bucket of the Region', () => {
    synthesized(vault()).hasResourceProperties('AWS::Lambda::Function', {
      Code: {
        S3Bucket: { 'Fn::Sub': 'snapferry-${AWS::Region}' },
        S3Key: { 'Fn::Sub': '0.1.0/verify-copies-x86_64.zip' },
      },
    });
  });

  it('has to be there', () => {
    assert.throws(
      () => vault({ code: { folder: '/nowhere' } }),
      /neither \/nowhere\/.*zip nor \/nowhere\/.*bootstrap exists/,
    );
  });
});

describe("a vault's policy", () => {
  it('may be a path or an object, limits the roles, and is a layer', () => {
    for (const policy of [EXAMPLE_POLICY, examplePolicy()]) {
      const made = vault({ policy });
      const template = synthesized(made);
      const [layer] = Object.values(template.findResources('AWS::Lambda::LayerVersion')) as {
        Properties: { Content: { S3Key: string } };
      }[];
      assert.ok(layer);
      const { directory } = written(made);
      const asset = join(directory, `asset.${layer.Properties.Content.S3Key.replace('.zip', '')}`);
      assert.deepEqual(readdirSync(asset), ['policy.json']);
      assert.deepEqual(JSON.parse(readFileSync(join(asset, 'policy.json'), 'utf8')), examplePolicy());
      const text = JSON.stringify(template.toJSON());
      for (const each of ['"ec2:Owner":["111122223333"]', 'us-east-1:444455556666:key/9876dcba', '"us-east-1"']) {
        assert.ok(text.includes(each), each);
      }
    }
  });

  it('makes what copies databases where it names them, from one package, for as many owners', () => {
    const document = JSON.parse(readFileSync(DATABASES, 'utf8')) as {
      Policy: { PolicyDetails: { EventSource: { Parameters: { SnapshotOwner: string[] } } } };
    };
    document.Policy.PolicyDetails.EventSource.Parameters.SnapshotOwner = owners(500);
    const template = synthesized(vault({ policy: document, code: { folder: builtFunctions() } }));
    const functions = template.findResources('AWS::Lambda::Function') as Record<
      string,
      { Properties: { Code: object } }
    >;
    const [first, ...others] = ['CopySharedDatabases', 'VerifyCopiedDatabases', 'DeleteExpiredDatabaseCopies'].map(
      (name) => functions[name]?.Properties.Code,
    );
    assert.ok(first);
    assert.deepEqual(others, [first, first]);
    for (const sid of ['CopyFromSourceAccounts', 'UseSourceKeysForRds', 'GrantSourceKeysToRds']) {
      const documents = managed(template, sid);
      assert.ok(documents.length > 1 && documents.every((each) => JSON.stringify(each).length <= 6144), sid);
    }
    assert.ok(!JSON.stringify(synthesized(vault()).toJSON()).includes('CopySharedDatabases'));
  });

  it('may name more owners than a parameter can hold, and not more than a role', () => {
    const policy = (count: number): object => {
      const example = examplePolicy();
      example.EventSource.Parameters.SnapshotOwner = owners(count);
      return example;
    };
    const template = synthesized(vault({ policy: policy(500) }));
    const sources = statement(template, 'CopyFromSourceAccounts');
    assert.ok(JSON.stringify(sources).includes('"100000000499"'));
    for (const [sid, others] of [
      ['UseSourceKeys', {}],
      ['GrantSourceKeysToEbs', { Bool: { 'kms:GrantIsForAWSResource': 'true' } }],
    ] as const) {
      const documents = managed(template, sid);
      assert.ok(documents.length > 1 && documents.every((each) => JSON.stringify(each).length <= 6144));
      const conditions = documents.map((each) => each.Statement[0].Condition);
      const accounts = conditions.map((each) => each.StringEquals['aws:ResourceAccount']);
      assert.deepEqual(accounts.flat().sort(), owners(500));
      // Each part is narrowed by its accounts and by all else that the whole is narrowed by.
      assert.deepEqual(
        conditions,
        accounts.map((each) => ({ StringEquals: { 'aws:ResourceAccount': each }, ...others })),
      );
    }
    assert.throws(
      () => vault({ policy: policy(700) }),
      /Stack\/Vault\/CopySharedSnapshotsRole would have 1\d{4} characters of inline policies, and IAM takes 10240/,
    );
  });

  it('may need more keys than a managed policy can hold', () => {
    const template = synthesized(vault({ sourceKeyArns: sourceKeys(200) }));
    const policies = Object.values(template.findResources('AWS::IAM::ManagedPolicy'));
    for (const sid of ['UseSourceKeys', 'GrantSourceKeysToEbs']) {
      const of = managed(template, sid);
      assert.ok(of.every((each) => JSON.stringify(each).length <= 6144));
      assert.deepEqual(of.flatMap((each) => each.Statement[0].Resource).sort(), sourceKeys(200));
    }
    const { Properties: properties } = template.findResources('AWS::IAM::Role')['CopySharedSnapshotsRole'] as {
      Properties: { ManagedPolicyArns: unknown[] };
    };
    assert.equal(properties.ManagedPolicyArns.length, policies.length);
    assert.throws(() => vault({ sourceKeyArns: sourceKeys(400) }), /managed policies, and IAM takes 10 for a role/);
  });

  it('is refused with the path of what is wrong, and of the stack', () => {
    const policy = examplePolicy();
    policy.Actions[0].CrossRegionCopy[0].RetainRule.Interval = 0;
    assert.throws(
      () => vault({ policy }),
      /Stack\/Vault: the policy is not valid; it was checked by [^\n]*\nActions\[0\]\.CrossRegionCopy\[0\]\.RetainRule\.Interval: /,
    );
  });

  it('is refused when its values are known at deployment only, and when it permits nothing', () => {
    const policy = examplePolicy();
    policy.Actions[0].CrossRegionCopy[0].EncryptionConfiguration.CmkArn = new Topic(newStack(), 'Topic').topicArn;
    assert.throws(() => vault({ policy }), /known at deployment only/);
    const nobody = examplePolicy();
    nobody.EventSource.Parameters.SnapshotOwner = [];
    assert.throws(() => vault({ policy: nobody }), /names no SnapshotOwner or no Target/);
  });

  it('can be read by Lambda, whatever files of the builder are', () => {
    const umask = process.umask(0o077);
    try {
      const { directory } = written(vault());
      const [asset] = readdirSync(directory).filter((name) => existsSync(join(directory, name, 'policy.json')));
      assert.ok(asset);
      assert.equal(statSync(join(directory, asset, 'policy.json')).mode & 0o777, 0o644);
    } finally {
      process.umask(umask);
    }
  });
});

/** What the app that a vault is in becomes: the folder. */
function written(made: SnapshotVault): { directory: string } {
  const app = Stage.of(made);
  assert.ok(app);
  return app.synth();
}

interface ManagedDocument {
  readonly Statement: [
    {
      readonly Sid: string;
      readonly Resource: string[];
      readonly Condition: { StringEquals: Record<string, string[]> };
    },
  ];
}

/** The managed policies whose statement has this Sid. */
function managed(template: Template, sid: string): ManagedDocument[] {
  const policies = Object.values(template.findResources('AWS::IAM::ManagedPolicy')) as {
    Properties: { PolicyDocument: ManagedDocument };
  }[];
  return policies.map((each) => each.Properties.PolicyDocument).filter((each) => each.Statement[0].Sid === sid);
}

/** The statement with this Sid, of whichever role. */
function statement(template: Template, sid: string): object | undefined {
  const roles = Object.values(template.findResources('AWS::IAM::Role')) as {
    Properties: { Policies: { PolicyDocument: { Statement: { Sid: string }[] } }[] };
  }[];
  const policies = roles.flatMap((role) => role.Properties.Policies);
  return policies.flatMap((each) => each.PolicyDocument.Statement).find((each) => each.Sid === sid);
}
