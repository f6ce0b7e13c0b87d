export { BrokerModule, type BrokerModuleOptions } from './broker-module.ts';
export { AuthenticationGate } from './authentication-gate.ts';
