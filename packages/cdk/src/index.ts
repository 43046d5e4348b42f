export * from './jobs';
export { INeptuneMlProvider, NeptuneMlProvider, NeptuneMlProviderProps } from './provider';
export * from './values';
