import * as illegal from 'nodemailer';

export const use = illegal;
