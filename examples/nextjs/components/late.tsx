"use client";

import dynamic from "next/dynamic";
import { Waiting } from "./waiting";

/** The code for browsers that call the service themselves, in a file of its own. */
export const InBrowser = dynamic(() => import("./in-browser"), { loading: () => <Waiting lines={1} /> });
