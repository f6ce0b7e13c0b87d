// npm run broker: a further broker on a data directory that npm start serves, on a port of its own (HOLDFAST_PORT, 0 for any).
import { build, installMissing, requireNode, root } from './prepare.mjs';

requireNode();
installMissing();
build();
await import(`${root}/dist/apps/broker/main.js`);
