// The only part of @kubernetes/client-node that is used. It has a file of its own, because a bundle keeps all of a package that is imported
// dynamically, and only a kubeconfig needs it.

export { KubeConfig } from '@kubernetes/client-node';
