/** ViewCodeSequence (CID 4010), its SNOMED RT and CT codes → the ViewPosition that each stands for. */
export const VIEW_CODES: Readonly<Record<string, string>> = {
  'R-10206': 'AP', '399348003': 'AP', 'R-10214': 'PA', '272479007': 'PA',
  'R-10232': 'RL', '399198007': 'RL', 'R-10236': 'LL', '399173006': 'LL',
};
