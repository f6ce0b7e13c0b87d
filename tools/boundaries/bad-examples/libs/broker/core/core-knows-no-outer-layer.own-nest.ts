import * as illegal from '#libs/broker/nest';

export const use = illegal;
