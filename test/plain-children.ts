/**
 * Loaded before every test file. tap has each Node process below it report which files it loads (@tapjs/processinfo, by
 * NODE_OPTIONS): that makes the start of an engine three times as long, and it is not the engine that users have.
 */
delete process.env['NODE_OPTIONS'];
