// npm start: installs what is missing, builds, starts everything embedded in this process (so that signals reach it).
import { build, installMissing, linkCommand, requireNode, root } from './prepare.mjs';

requireNode();
installMissing();
build();
linkCommand();
await import(`${root}/dist/apps/solo/main.js`);
