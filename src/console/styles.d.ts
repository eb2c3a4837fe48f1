/** Style sheets, which the build takes out of the program. */
declare module '*.css';
