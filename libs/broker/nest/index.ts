export { BrokerModule, type BrokerModuleOptions } from './broker-module.ts';
