// The entrance of the page.
import { mount } from 'svelte';
import './style/tokens.css';
import './style/base.css';
import App from './App.svelte';
import { desk } from './desk.svelte.js';

const target = document.getElementById('page');
if (target === null) throw new Error('index.html has no place for the page');
mount(App, { target });
void desk.begin();
