/** The shape of a translation of `Reference`: the same keys, other words. */
export type Translation<Reference> = {
  [Key in keyof Reference]: Reference[Key] extends string ? string : Translation<Reference[Key]>;
};
