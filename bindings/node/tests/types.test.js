'use strict';
/** The declarations against those of the mirrored client, overload by overload. */

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, it } = require('node:test');
const { spawnSync } = require('node:child_process');
const mirror = require('./types/mirror');

const home = path.join(__dirname, '..');
const OVERLOADS_MIN = 3000;

describe('the declarations', () => {
  it('take every call of a command that ioredis takes, with the same result', () => {
    const place = fs.mkdtempSync(path.join(os.tmpdir(), 'tendon-types-'));
    try {
      const count = mirror.write(path.join(place, 'mirror.ts'));
      assert.ok(count > OVERLOADS_MIN, `only ${count} overloads were found`);
      const settings = JSON.parse(fs.readFileSync(path.join(__dirname, 'types/tsconfig.json')));
      Object.assign(settings.compilerOptions, {
        paths: { tendon: [path.join(home, 'index.d.ts')] },
        typeRoots: [path.join(home, 'node_modules/@types')],
        skipLibCheck: true,
      });
      settings.files = ['mirror.ts'];
      fs.writeFileSync(path.join(place, 'tsconfig.json'), JSON.stringify(settings));
      const compiler = path.join(home, 'node_modules/typescript/bin/tsc');
      const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', place], {
        encoding: 'utf8',
      });
      assert.strictEqual(status, 0, stdout.slice(0, 4000));
    } finally {
      fs.rmSync(place, { recursive: true });
    }
  });
});
